/* Keys and signatures made with the openssl program: openssl dgst -sha256 -sign, of "abcdef". */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "followupd/secret/signature.h"

static const char p256_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQSs5d6/oEG8AEJes95EN2aT6nP+N\n"
                               "FZFmW645AzuQ8UPdDoMMkGL+PX8k9a5prJigmO6L/aevOpAplggPDeFJaA==\n"
                               "-----END PUBLIC KEY-----\n";
static const char p256_der[] = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQSs5d6/"
                               "oEG8AEJes95EN2aT6nP+NFZFmW645AzuQ8UPdDoMMkGL+PX8k9a5prJigmO6L/aevOpAplggPDeFJaA==";
static const char p256_signature[] =
    "MEQCIDhKL7/etiSvwv1xxMrwLg/Zb8mW3bBlhoxgxk4bsQgpAiAOoL39/IZE+EBYq5rVeE5Ftnkn+S4SH7jcH9vOckX1cg==";
static const char p384_der[] =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEBWzT8NNUqF71kP+0h9kPn5zXgtjDNC0ZfdQNwhOxObAdrq2yazOzNK8kR+VDN8MLWS1EBPW5zd+"
    "5xtsZhfDJPulyeEr3mlXPGyw1VqR5XJhSYyxXFNQPCaIapaGQH0sc";
static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmwUjNWtpJBKEqXYS2TNz\n"
                              "Q4uiie6e48tdhH6G60h7ZL1Y0D2UEaGiaWdbCBiXlpY1SFHa/7pS1A++EI9fGDmM\n"
                              "A2ScvG3VPsmPXgRBWLYrOhV5Qdclt3w+6oyuvzAl2pCWTc7qcPho6LvNBSEoa3CR\n"
                              "uDexaDwTMz5ngBcFgs6hPRty8bzihlTmov+7Oecqd7nmQyUx41OXTPuQdYnoHBJB\n"
                              "rKO321YJvsW5ZNhLa76mqfTX+X2QLdRGB1f14BnjDJDrnbkZVvw6b2Lrp44iCbZL\n"
                              "GFhxpJuvmPaWK6sgCHoGBGGrXG1jb5+3r7Wf/VmEBiR810nHFfaTapCw9nvZGFbd\n"
                              "XwIDAQAB\n"
                              "-----END PUBLIC KEY-----\n";
static const char weak_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                       "MIIB+jCCAWOgAwIBAgIUXNWzXxhXNKaehu/AHwEaWl3qnUowDQYJKoZIhvcNAQEL\n"
                                       "BQAwDzENMAsGA1UEAwwEd2VhazAeFw0yNjExMjcwMDUxMzVaFw0zNjExMjQwMDUx\n"
                                       "MzVaMA8xDTALBgNVBAMMBHdlYWswgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB\n"
                                       "ALJZJQWsMkynZUuoiQx/pkYPt3lslofNFyT99Qiy8LpPBptTmuXi3grISDVCr3Zf\n"
                                       "C6h/rbGy2oMnvEOHVBaWC8Bb7umqQvDI1K0b4ZNG0jm0b2vAzmJVoSK2m+qbVqn6\n"
                                       "fLjZmCHLhPPVby3v77/NYWim/awC1XGrV7GRBJKaxppRAgMBAAGjUzBRMB0GA1Ud\n"
                                       "DgQWBBSdLj1eneyGW62D6PBmPscQ9KErmTAfBgNVHSMEGDAWgBSdLj1eneyGW62D\n"
                                       "6PBmPscQ9KErmTAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4GBAK1w\n"
                                       "vKtdbkfCRhuUP3BYwxbJuY6meSnNCw1fgYvRTWBiDAjGkGAo4SNGHpLUZveZqIz0\n"
                                       "z4GU8e0uxC5mzsn1KAKWBPDuf8ViwOSb9W8S8zFo96ssfclUayJ6tOB7hcGbpoNb\n"
                                       "guaq15LxBhSQWhxlNPYcfJKzB7FOxVubMk1TYfi6\n"
                                       "-----END CERTIFICATE-----\n";
static const char ec_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                     "MIIBbzCCARWgAwIBAgIUdCYqaK31s8/b5KwHqAw25SDSnA4wCgYIKoZIzj0EAwIw\n"
                                     "DTELMAkGA1UEAwwCZWMwHhcNMjYxMTI3MDA1MTM1WhcNMzYxMTI0MDA1MTM1WjAN\n"
                                     "MQswCQYDVQQDDAJlYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOZDbWhuvIq3\n"
                                     "eGISyNIgnxm49927DexPlGGm/6Par20DaV7VpAXGyErxoCy/68p0fAzJpSpPv21e\n"
                                     "2Ba+m6xecXOjUzBRMB0GA1UdDgQWBBQGrPIHqcbbOlqWlSiOW6q4IKM7qTAfBgNV\n"
                                     "HSMEGDAWgBQGrPIHqcbbOlqWlSiOW6q4IKM7qTAPBgNVHRMBAf8EBTADAQH/MAoG\n"
                                     "CCqGSM49BAMCA0gAMEUCIQD4ZH6bNSLJtmb40HWoV5F+MsAC7WcPSXuUtc5czFJ6\n"
                                     "NQIgMcZqYSxWfRYDoSZSzW9e7UgQH/Xvo4fOnaEz7JUsmCI=\n"
                                     "-----END CERTIFICATE-----\n";

static struct public_key *key_of(const char *text)
{
    struct public_key *key = NULL;
    struct err e = { "" };
    cr_assert_eq(public_key_ecdsa_p256(text, &key, &e), OK, "%s", e.text);
    return key;
}

static bool verifies(const char *key_text, const char *first, const char *second, const char *signature)
{
    struct public_key *key = key_of(key_text);
    struct piece pieces[] = { { first, strlen(first) }, { second, strlen(second) } };
    uint8_t der[100];
    size_t bytes;
    cr_assert(signature_base64(signature, strlen(signature), der, sizeof der, &bytes));
    bool valid = public_key_verifies(key, SIGNATURE_SHA256, pieces, 2, der, bytes);
    public_key_free(key);
    return valid;
}

Test(signature, ecdsa_is_of_the_pieces_one_after_another)
{
    cr_expect(verifies(p256_pem, "abc", "def", p256_signature));
    cr_expect(verifies(p256_der, "", "abcdef", p256_signature));
    cr_expect_not(verifies(p256_der, "abc", "deg", p256_signature));
    cr_expect_not(verifies(p256_der, "abcdef", "", "MEQCIBdO"));
    cr_expect_not(verifies(p256_der, "abcdef", "", ""));
}

Test(signature, a_key_may_be_broken_over_lines)
{
    char text[300];
    snprintf(text, sizeof text, " %.40s\r\n%s\n", p256_der, p256_der + 40);
    cr_expect(verifies(text, "abcdef", "", p256_signature));
}

static void key_is_refused(const char *text, const char *words)
{
    struct public_key *key = NULL;
    struct err e = { "" };
    cr_expect_eq(public_key_ecdsa_p256(text, &key, &e), E_INVALID);
    cr_expect_null(key);
    cr_expect_not_null(strstr(e.text, words), "%s", e.text);
}

Test(signature, what_is_no_key_of_the_curve_is_refused)
{
    char longer[300];
    snprintf(longer, sizeof longer, "%s", p256_der);
    strcpy(longer + strlen(longer) - 2, "AA"); /* two bytes after the key */
    key_is_refused(p384_der, "P-256");
    key_is_refused(rsa_pem, "P-256");
    key_is_refused("", "no public key");
    key_is_refused("not base64!", "no public key");
    key_is_refused("AAAA", "no public key");
    key_is_refused(longer, "no public key");
    key_is_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key");
}

Test(signature, a_certificate_needs_an_rsa_key_that_is_long_enough)
{
    struct public_key *key = NULL;
    struct err e = { "" };
    cr_expect_eq(public_key_of_certificate(weak_certificate, strlen(weak_certificate), &key, &e), E_INVALID);
    cr_expect_not_null(strstr(e.text, "2048"), "%s", e.text);
    cr_expect_eq(public_key_of_certificate(ec_certificate, strlen(ec_certificate), &key, &e), E_INVALID);
    cr_expect_eq(public_key_of_certificate("<html>", 6, &key, &e), E_INVALID);
    cr_expect_eq(public_key_of_certificate("", 0, &key, &e), E_INVALID);
    cr_expect_null(key);
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
Test(signature, hmac_is_that_of_the_rfc)
{
    uint8_t key[131], hmac[SIGNATURE_HMAC_BYTES];
    memset(key, 0x0b, 20);
    signature_hmac_sha256(key, 20, &(struct piece){ "Hi There", 8 }, 1, hmac);
    cr_expect_arr_eq(hmac, "\xb0\x34\x4c\x61\xd8\xdb\x38\x53\x5c\xa8\xaf\xce\xaf\x0b\xf1\x2b", 16);
    struct piece pieces[] = { { "what do ya want ", 16 }, { "for nothing?", 12 } };
    signature_hmac_sha256("Jefe", 4, pieces, 2, hmac);
    cr_expect_arr_eq(hmac, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7", 16);
    memset(key, 0xaa, sizeof key);
    const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    signature_hmac_sha256(key, sizeof key, &(struct piece){ text, strlen(text) }, 1, hmac);
    cr_expect_arr_eq(hmac, "\x60\xe4\x31\x59\x1e\xe0\xb6\x7f\x0d\x8a\x26\xaa\xcb\xf5\xb7\x7f", 16);
}

Test(signature, equal_is_equal_in_length_and_in_every_byte)
{
    cr_expect(secret_equal("abc", 3, "abc", 3));
    cr_expect(secret_equal("", 0, "", 0));
    cr_expect_not(secret_equal("abc", 3, "abd", 3));
    cr_expect_not(secret_equal("abc", 3, "ab", 2));
    cr_expect_not(secret_equal("abc", 3, "abc\0", 4));
}

Test(signature, base64_is_taken_with_its_padding_and_nothing_else)
{
    uint8_t bytes[4];
    size_t count;
    cr_expect(signature_base64("YWJj", 4, bytes, sizeof bytes, &count) && count == 3);
    cr_expect(signature_base64("YQ==", 4, bytes, sizeof bytes, &count) && count == 1);
    cr_expect_not(signature_base64("YQ", 2, bytes, sizeof bytes, &count));
    cr_expect_not(signature_base64("YQ==\n", 5, bytes, sizeof bytes, &count));
    cr_expect_not(signature_base64("Y-_j", 4, bytes, sizeof bytes, &count));
    cr_expect_not(signature_base64("YWJjZGVm", 8, bytes, sizeof bytes, &count), "longer than there is room for");
}
