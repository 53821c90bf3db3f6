#include "followupd/base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_length(const char *text, size_t left)
{
    const unsigned char *t = (const unsigned char *)text;
    size_t n = t[0] < 0x80 ? 1 : t[0] >= 0xc2 && t[0] < 0xe0 ? 2 : t[0] >= 0xe0 && t[0] < 0xf0 ? 3 : 4;
    if (n == 1)
        return 1;
    if (t[0] < 0xc2 || t[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((t[0] == 0xe0 && t[1] < 0xa0) || (t[0] == 0xed && t[1] > 0x9f) || (t[0] == 0xf0 && t[1] < 0x90) ||
        (t[0] == 0xf4 && t[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(const char *text, size_t bytes)
{
    size_t i = 0;
    while (i < bytes) {
        uint64_t eight;
        if (bytes - i >= sizeof eight) { /* most text is ASCII */
            memcpy(&eight, text + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        size_t n = utf8_length(text + i, bytes - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t utf8_cut(const char *text, size_t bytes, size_t bytes_max)
{
    if (bytes <= bytes_max)
        return bytes;
    while (bytes_max > 0 && ((unsigned char)text[bytes_max] & 0xc0) == 0x80)
        bytes_max--;
    return bytes_max;
}
