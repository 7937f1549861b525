/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of Redis that Hob has not, and why: somebody who sends SET learns more from what Hob is
 * than from "no such command", and clients that only try a command go on. */
#include "base/assert.h"
#include "dialect/resp/core.h"

static const struct {
    const char *words; /* separated by spaces */
    const char *why;
} foreign[] = {
    {"SET SETEX SETNX MSET INCR DECR DEL UNLINK EXISTS EXPIRE TTL KEYS SCAN TYPE APPEND GETSET "
     "MGET "
     "LPUSH RPUSH LPOP RPOP BLPOP BRPOP LLEN LRANGE LMOVE BLMOVE RPOPLPUSH BRPOPLPUSH HSET HGET "
     "HGETALL HDEL SADD SREM SMEMBERS ZADD ZRANGE ZREM ZRANGEBYSCORE XADD XREAD XREADGROUP XACK "
     "XLEN "
     "DBSIZE FLUSHALL FLUSHDB DUMP RENAME",
     "Hob holds jobs, not keys: PUSH adds one, FETCH takes one, HELP lists all commands"},
    {"EVAL EVALSHA EVAL_RO EVALSHA_RO SCRIPT FUNCTION FCALL FCALL_RO", "Hob runs no scripts"},
    {"CLUSTER", "This instance has cluster support disabled"},
    {"READONLY READWRITE ASKING REPLICAOF SLAVEOF FAILOVER SENTINEL SYNC PSYNC REPLCONF SSUBSCRIBE "
     "SUNSUBSCRIBE SPUBLISH",
     "this is one server, without replicas, cluster or sentinel"},
    {"PUBLISH", "only Hob publishes, on the channels that SUBSCRIBE knows"},
    {"PUBSUB", "who listens is not told"},
    {"WATCH UNWATCH", "there are no keys to watch: MULTI and EXEC do without"},
    {"MONITOR SLOWLOG LATENCY MEMORY DEBUG OBJECT",
     "not offered: STATS, INFO and GET /metrics have figures, SUBSCRIBE hob:events what happens"},
    {"ACL", "not offered: `hob token` makes and revokes tokens"},
    {"SAVE BGSAVE BGREWRITEAOF LASTSAVE", "not needed: every answer is durable when it leaves"},
    {"SHUTDOWN MODULE SWAPDB MIGRATE RESTORE", "not offered"},
};

/* Is @word one of the words? */
static bool has_word(const char *words, struct slice word) {
    struct slice all = slice_str(words);
    size_t from = 0;
    for (size_t at = 0; at <= all.size; at++) {
        if (at < all.size && all.bytes[at] != ' ') continue;
        if (slice_equal_nocase(slice_of(all.bytes + from, at - from), word)) return true;
        from = at + 1;
    }
    return false;
}

const char *resp_foreign_why(struct slice word) {
    for (size_t i = 0; i < hob_countof(foreign); i++) {
        if (has_word(foreign[i].words, word)) return foreign[i].why;
    }
    return NULL;
}
