#include "gmime.h"

static gpointer begin(gpointer unused)
{
    (void)unused;
    static const char *fallbacks[] = { "utf-8", "windows-1252", "iso-8859-1", NULL };
    g_mime_init();
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, fallbacks);
    return options;
}

GMimeParserOptions *gmime_options(void)
{
    static GOnce once = G_ONCE_INIT;
    return g_once(&once, begin, NULL);
}
