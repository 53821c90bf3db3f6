#include "gmime.h"

GMimeParserOptions *gmime_options(void)
{
    static GMimeParserOptions *options;
    if (options == NULL) {
        g_mime_init();
        options = g_mime_parser_options_new();
        static const char *fallbacks[] = { "utf-8", "windows-1252", "iso-8859-1", NULL };
        g_mime_parser_options_set_fallback_charsets(options, fallbacks);
    }
    return options;
}
