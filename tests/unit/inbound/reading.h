/* reading: how the tests of src/inbound hand a webhook's body to its reader and look at what came out. */
#ifndef FOLLOWUPD_TEST_INBOUND_READING_H
#define FOLLOWUPD_TEST_INBOUND_READING_H

#include <jansson.h>

#include "followupd/base/buf.h"
#include "followupd/base/status.h"

#define FORM_TYPE "multipart/form-data; boundary=xYzZY"

/* A multipart form with that boundary. */
void form_begin(struct buf *b);
void form_field(struct buf *b, const char *name, const char *value);
void form_file(struct buf *b, const char *name, const char *content_type, const char *content);
void form_end(struct buf *b);

/* The one event that the body gives; the test fails when there is none or more. Owned by the caller. */
json_t *read_one(const char *type, const char *content_type, const void *body, size_t bytes);

/* A string member of it; NULL: absent. */
const char *text_of(const json_t *event, const char *key);

/* The members of a list of strings, with a blank between; owned by the event (kept under "test:" and key). */
const char *list_of(json_t *event, const char *key);

/* The value of the first header of that name; NULL: none. */
const char *header_of(const json_t *event, const char *name);

/* What the reader answers, and with which words, when it must refuse. */
enum status refused(const char *type, const char *content_type, const void *body, size_t bytes, struct err *e);

#endif
