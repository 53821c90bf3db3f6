#include "html_entity.h"

#include <stdlib.h>
#include <string.h>

static const struct entity {
    const char *name;
    uint32_t codepoint;
} entities[] = {
    /* in the order of strcmp: HTML 4's that mail has, and a few of HTML 5 */
    { "AElig", 0xc6 },    { "Aacute", 0xc1 },   { "Acirc", 0xc2 },   { "Agrave", 0xc0 },   { "Aring", 0xc5 },
    { "Atilde", 0xc3 },   { "Auml", 0xc4 },     { "Ccedil", 0xc7 },  { "Dagger", 0x2021 }, { "ETH", 0xd0 },
    { "Eacute", 0xc9 },   { "Ecirc", 0xca },    { "Egrave", 0xc8 },  { "Euml", 0xcb },     { "Iacute", 0xcd },
    { "Icirc", 0xce },    { "Igrave", 0xcc },   { "Iuml", 0xcf },    { "Ntilde", 0xd1 },   { "OElig", 0x152 },
    { "Oacute", 0xd3 },   { "Ocirc", 0xd4 },    { "Ograve", 0xd2 },  { "Oslash", 0xd8 },   { "Otilde", 0xd5 },
    { "Ouml", 0xd6 },     { "Scaron", 0x160 },  { "THORN", 0xde },   { "Uacute", 0xda },   { "Ucirc", 0xdb },
    { "Ugrave", 0xd9 },   { "Uuml", 0xdc },     { "Yacute", 0xdd },  { "Yuml", 0x178 },    { "aacute", 0xe1 },
    { "acirc", 0xe2 },    { "acute", 0xb4 },    { "aelig", 0xe6 },   { "agrave", 0xe0 },   { "amp", 0x26 },
    { "apos", 0x27 },     { "aring", 0xe5 },    { "atilde", 0xe3 },  { "auml", 0xe4 },     { "bdquo", 0x201e },
    { "brvbar", 0xa6 },   { "bull", 0x2022 },   { "ccedil", 0xe7 },  { "cedil", 0xb8 },    { "cent", 0xa2 },
    { "circ", 0x2c6 },    { "colon", 0x3a },    { "comma", 0x2c },   { "commat", 0x40 },   { "copy", 0xa9 },
    { "curren", 0xa4 },   { "dagger", 0x2020 }, { "darr", 0x2193 },  { "deg", 0xb0 },      { "divide", 0xf7 },
    { "eacute", 0xe9 },   { "ecirc", 0xea },    { "egrave", 0xe8 },  { "emsp", 0x2003 },   { "ensp", 0x2002 },
    { "eth", 0xf0 },      { "euml", 0xeb },     { "euro", 0x20ac },  { "excl", 0x21 },     { "fnof", 0x192 },
    { "frac12", 0xbd },   { "frac14", 0xbc },   { "frac34", 0xbe },  { "ge", 0x2265 },     { "gt", 0x3e },
    { "hellip", 0x2026 }, { "iacute", 0xed },   { "icirc", 0xee },   { "iexcl", 0xa1 },    { "igrave", 0xec },
    { "infin", 0x221e },  { "iquest", 0xbf },   { "iuml", 0xef },    { "laquo", 0xab },    { "larr", 0x2190 },
    { "lbrack", 0x5b },   { "ldquo", 0x201c },  { "le", 0x2264 },    { "lrm", 0x200e },    { "lsaquo", 0x2039 },
    { "lsquo", 0x2018 },  { "lt", 0x3c },       { "macr", 0xaf },    { "mdash", 0x2014 },  { "micro", 0xb5 },
    { "middot", 0xb7 },   { "minus", 0x2212 },  { "nbsp", 0xa0 },    { "ndash", 0x2013 },  { "ne", 0x2260 },
    { "not", 0xac },      { "ntilde", 0xf1 },   { "num", 0x23 },     { "oacute", 0xf3 },   { "ocirc", 0xf4 },
    { "oelig", 0x153 },   { "ograve", 0xf2 },   { "ordf", 0xaa },    { "ordm", 0xba },     { "oslash", 0xf8 },
    { "otilde", 0xf5 },   { "ouml", 0xf6 },     { "para", 0xb6 },    { "period", 0x2e },   { "permil", 0x2030 },
    { "plusmn", 0xb1 },   { "pound", 0xa3 },    { "quot", 0x22 },    { "raquo", 0xbb },    { "rarr", 0x2192 },
    { "rbrack", 0x5d },   { "rdquo", 0x201d },  { "reg", 0xae },     { "rlm", 0x200f },    { "rsaquo", 0x203a },
    { "rsquo", 0x2019 },  { "sbquo", 0x201a },  { "scaron", 0x161 }, { "sect", 0xa7 },     { "shy", 0xad },
    { "sup1", 0xb9 },     { "sup2", 0xb2 },     { "sup3", 0xb3 },    { "szlig", 0xdf },    { "thinsp", 0x2009 },
    { "thorn", 0xfe },    { "tilde", 0x2dc },   { "times", 0xd7 },   { "trade", 0x2122 },  { "uacute", 0xfa },
    { "uarr", 0x2191 },   { "ucirc", 0xfb },    { "ugrave", 0xf9 },  { "uml", 0xa8 },      { "uuml", 0xfc },
    { "yacute", 0xfd },   { "yen", 0xa5 },      { "yuml", 0xff },    { "zwj", 0x200d },    { "zwnj", 0x200c },
};

static int compare(const void *name, const void *entity)
{
    return strcmp(name, ((const struct entity *)entity)->name);
}

static uint32_t named(const char *text, size_t bytes)
{
    char name[ENTITY_BYTES_MAX + 1];
    memcpy(name, text, bytes);
    name[bytes] = '\0';
    const struct entity *e = bsearch(name, entities, sizeof entities / sizeof entities[0], sizeof entities[0], compare);
    return e != NULL ? e->codepoint : 0;
}

/* digits: behind "&#". */
static uint32_t numbered(const char *digits, size_t bytes)
{
    /* What windows-1252 has there: numbers that many programs write for it. 0: nothing. */
    static const uint16_t c1[32] = { 0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                     0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0,      0x17d,  0,
                                     0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                     0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178 };
    bool is_hex = bytes > 0 && (digits[0] == 'x' || digits[0] == 'X');
    uint32_t value = 0;
    if (bytes == (size_t)is_hex)
        return 0;
    for (size_t i = is_hex; i < bytes; i++) {
        unsigned char c = (unsigned char)digits[i];
        int digit = c >= '0' && c <= '9'                               ? c - '0'
                    : is_hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                       : -1;
        if (digit < 0)
            return 0;
        value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
        if (value > 0x10ffff)
            return 0xfffd;
    }
    if (value >= 0x80 && value < 0xa0 && c1[value - 0x80] != 0)
        return c1[value - 0x80];
    bool control = value < 0x20 && value != '\t' && value != '\n';
    bool none = control || (value >= 0x7f && value < 0xa0) || (value >= 0xd800 && value < 0xe000);
    return none ? 0xfffd : value;
}

size_t html_entity(const char *text, size_t left, uint32_t *ret)
{
    size_t room = left < ENTITY_BYTES_MAX + 2 ? left : ENTITY_BYTES_MAX + 2;
    const char *semicolon = memchr(text, ';', room);
    if (semicolon == NULL || semicolon == text + 1)
        return 0;
    size_t bytes = (size_t)(semicolon - text) - 1; /* between & and ; */
    *ret = text[1] == '#' ? numbered(text + 2, bytes - 1) : named(text + 1, bytes);
    return *ret != 0 ? bytes + 2 : 0;
}
