/* plain_object: a lead's fields as the database writes them nearly always: a flat JSON object of texts without a single
 * escape. Read by hand they cost a tenth of what the general reader takes, once a message. Private to src/result. */
#ifndef FOLLOWUPD_RESULT_PLAIN_OBJECT_H
#define FOLLOWUPD_RESULT_PLAIN_OBJECT_H

#include <jansson.h>

/* A new object. NULL: it is anything else, or wrong, or memory ran out: let json_loads read it and say so. */
json_t *plain_object_read(const char *text);

#endif
