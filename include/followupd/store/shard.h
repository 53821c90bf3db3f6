/* shard: which of the 64 shards an account lives in: the C twin of followup.shard_of (the top 6 bits of PostgreSQL's
 * hashint8). Only a hint about whose NOTIFY to heed; the claim compares the database's own. test_store_pg holds both
 * against each other. */
#ifndef FOLLOWUPD_STORE_SHARD_H
#define FOLLOWUPD_STORE_SHARD_H

#include <stdint.h>

int shard_of(int64_t account_id); /* 0..63 */

#endif
