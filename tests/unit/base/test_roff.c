#include "followupd/base/roff.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* What one of the writers makes of a text; the caller frees it. */
static char *written(void (*write)(FILE *out, const char *text), const char *text)
{
    char *ret = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&ret, &bytes);
    cr_assert(out != NULL);
    write(out, text);
    fclose(out);
    return ret;
}

static void expect(void (*write)(FILE *out, const char *text), const char *text, const char *wanted)
{
    char *got = written(write, text);
    cr_assert_str_eq(got, wanted);
    free(got);
}

Test(roff, text_is_never_a_request_or_an_escape)
{
    expect(roff_prose, "a \\fB \"b\" it's", "a \\efB \\(dqb\\(dq it\\(aqs");
    expect(roff_prose, ".SH\n.TP", "\\&.SH\n\\&.TP");
    expect(roff_prose, "'nf", "\\(aqnf");
}

Test(roff, hyphens_in_prose_stay_hyphens_and_those_of_options_do_not)
{
    expect(roff_prose, "re-planned by --at", "re-planned by \\-\\-at");
    expect(roff_code, "in-doubt ~^`", "in\\-doubt \\(ti\\(ha\\(ga");
}

Test(roff, indented_lines_of_a_help_text_stand_as_they_are)
{
    expect(roff_help, "Example:\n  a-b\nend\n", "Example:\n.nf\n  a\\-b\n.fi\nend\n");
    expect(roff_help, "  last\n", ".nf\n  last\n.fi\n");
    expect(roff_help, "one\n\ntwo", "one\n.sp\ntwo\n");
}
