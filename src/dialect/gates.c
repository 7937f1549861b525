/* SPDX-License-Identifier: Apache-2.0 */
/* A sentence for each gate, and the fields of an explanation. */
#include "dialect/gates.h"

#include "base/assert.h"
#include "base/text.h"
#include "engine/states.h"

bool session_explain(struct session *session, uint64_t id, struct explanation *ret_explanation) {
    struct job_view job;
    struct host *host = session->host;
    if (!session_job(session, id, &job)) return false;
    if (!host->ops->explain(host->context, id, ret_explanation)) return false;
    if (access_is_for_all(session->access)) return true;
    for (uint32_t i = 0; i < ret_explanation->gate_count; i++) {
        struct gate *gate = &ret_explanation->gates[i];
        if (gate->type == GATE_FETCH) gate->by = SLICE_NONE;
        if (gate->type == GATE_TIER && !session_sees(session, gate->name)) gate->name = SLICE_NONE;
    }
    return true;
}

/* --- sentences --- */

/* "3 jobs", "1 job", "1000 jobs or more" */
static void put_count(struct buf *to, const struct gate *gate, const char *one, const char *many) {
    (void)buf_put_u64(to, gate->count);
    (void)buf_put_char(to, ' ');
    (void)buf_put_str(to, gate->count == 1 ? one : many);
    if (gate->is_least) (void)buf_put_str(to, " or more");
}

static void put_name(struct buf *to, const char *before, const struct gate *gate) {
    (void)buf_put_str(to, before);
    (void)buf_put_char(to, ' ');
    (void)buf_put_slice(to, gate->name);
}

/* "the queue mail"; jobs without a group have one, too. */
static void put_owner(struct buf *to, const struct gate *gate) {
    if (gate->of == GATE_OF_GROUP && gate->name.size == 0) {
        (void)buf_put_str(to, "the jobs without a group");
        return;
    }
    (void)buf_put_str(to, "the ");
    (void)buf_put_str(to, gate_of_word(gate->of));
    put_name(to, "", gate);
}

/* "3 of 5 jobs", of a limiter units */
static void put_use(struct buf *to, const struct gate *gate) {
    const char *thing = gate->of == GATE_OF_LIMITER ? "unit" : "job";
    (void)buf_put_u64(to, gate->count);
    (void)buf_put_str(to, " of ");
    (void)buf_put_u64(to, gate->limit);
    (void)buf_printf(to, " %s%s", thing, gate->limit == 1 ? "" : "s");
    if (gate->units > 1) (void)buf_printf(to, ", it wants %llu", (unsigned long long)gate->units);
}

static void put_moment(struct buf *to, hob_ns at_ns) {
    (void)text_put_time(to, at_ns / NS_PER_MS * NS_PER_MS);
}

static void put_time_gate(struct buf *to, const struct gate *gate) {
    (void)buf_put_str(to, gate->is_open ? "its time has come: " : "it waits for its time: ");
    put_moment(to, gate->until_ns);
}

static void put_expiry(struct buf *to, const struct gate *gate) {
    (void)buf_put_str(to, gate->is_open ? "it must start by " : "it should have started by ");
    put_moment(to, gate->until_ns);
}

static void put_deadline(struct buf *to, const struct gate *gate) {
    if (gate->is_open) {
        (void)buf_put_str(to, "to be done by its deadline it must start by ");
    } else {
        (void)buf_put_str(to, "to be done by its deadline it should have started by ");
    }
    put_moment(to, gate->until_ns);
}

static void put_unique(struct buf *to, const struct gate *gate) {
    (void)buf_printf(to, "it waits for the end of job %llu", (unsigned long long)gate->job);
    (void)buf_put_str(to, ", which holds its unique key");
}

static void put_pause(struct buf *to, const struct gate *gate) {
    put_owner(to, gate);
    (void)buf_put_str(to, gate->is_open ? " was paused" : " is paused");
    if (gate->until_ns != 0) {
        (void)buf_put_str(to, " until ");
        put_moment(to, gate->until_ns);
    }
    if (gate->by.size > 0) {
        (void)buf_put_str(to, " by ");
        (void)buf_put_slice(to, gate->by);
    }
    if (gate->why.size > 0) {
        (void)buf_put_str(to, ": ");
        (void)buf_put_slice(to, gate->why);
    }
}

static void put_concurrency(struct buf *to, const struct gate *gate) {
    put_owner(to, gate);
    (void)buf_put_str(to, " runs ");
    put_use(to, gate);
}

/* "100/1m" */
static void put_rate(struct buf *to, const struct gate *gate) {
    (void)buf_put_str(to, "the rate of ");
    put_owner(to, gate);
    (void)buf_printf(to, ", %u/", gate->rate.count);
    (void)text_put_duration(to, gate->rate.period_ns);
    if (gate->is_open) {
        (void)buf_put_str(to, ", lets start ");
        put_use(to, gate);
        return;
    }
    (void)buf_put_str(to, ", is used up until ");
    put_moment(to, gate->until_ns);
    if (gate->units > 1) {
        (void)buf_printf(to, ": it wants %llu units", (unsigned long long)gate->units);
    }
}

static void put_blocked(struct buf *to, const struct gate *gate) {
    put_owner(to, gate);
    (void)buf_printf(
        to,
        " is blocked by job %llu, which has failed: retry or delete that job, or skip it",
        (unsigned long long)gate->job
    );
}

static void put_order(struct buf *to, const struct gate *gate) {
    put_owner(to, gate);
    if (gate->is_open) {
        (void)buf_put_str(to, " runs one job at a time, and none now");
    } else {
        (void)buf_put_str(to, " runs one job at a time: another one has started and is not over");
    }
}

static void put_kind(struct buf *to, const struct gate *gate) {
    if (gate->count == 0 && !gate->is_least) {
        put_name(to, "no live worker runs kind", gate);
        return;
    }
    put_count(to, gate, "live worker runs kind", "live workers run kind");
    put_name(to, "", gate);
}

static void put_needs(struct buf *to, const struct gate *gate) {
    if (gate->count == 0 && !gate->is_least) {
        (void)buf_put_str(to, "no live worker of its kind has");
    } else {
        put_count(to, gate, "live worker of its kind has", "live workers of its kind have");
    }
    if (gate->name.size > 0) put_name(to, " the labels", gate);
    if (gate->name.size > 0 && gate->limit > 1) (void)buf_put_str(to, " and");
    if (gate->limit <= 1) return;
    (void)buf_put_char(to, ' ');
    (void)buf_put_u64(to, gate->limit);
    (void)buf_put_str(to, " slots");
}

static void put_slot(struct buf *to, const struct gate *gate) {
    put_name(to, "workers of kind", gate);
    (void)buf_put_str(to, gate->is_open ? " use " : " use all: ");
    (void)buf_put_u64(to, gate->count);
    (void)buf_put_str(to, " of ");
    (void)buf_put_u64(to, gate->limit);
    (void)buf_put_str(to, gate->limit == 1 ? " slot" : " slots");
}

static void put_fetch(struct buf *to, const struct gate *gate) {
    if (!gate->is_open) {
        put_name(to, "every worker of its kind waits for other queues than", gate);
    } else if (gate->count == 0) {
        put_name(
            to,
            "it is not known: a worker of its kind may ask at any moment for jobs of queue",
            gate
        );
    } else {
        put_count(to, gate, "fetch waits", "fetches wait");
        put_name(to, " for a job of queue", gate);
    }
    if (gate->by.size == 0) return;
    (void)buf_put_str(to, "; the worker ");
    (void)buf_put_slice(to, gate->by);
    (void)buf_put_str(to, " excludes it");
}

static void put_tier(struct buf *to, const struct gate *gate) {
    put_count(to, gate, "job", "jobs");
    (void)buf_put_str(to, " of a smaller tier");
    if (gate->name.size > 0) put_name(to, ", as in queue", gate);
    (void)buf_put_str(to, ", first for workers that fetch both");
}

static void put_line(struct buf *to, const struct gate *gate) {
    if (gate->is_open) {
        put_name(to, "it is next in queue", gate);
        return;
    }
    put_count(to, gate, "job", "jobs");
    put_name(to, " before it in queue", gate);
}

void gate_put(struct buf *to, const struct gate *gate) {
    static void (*const puts[])(struct buf * to, const struct gate *gate) = {
        [GATE_TIME] = put_time_gate,
        [GATE_EXPIRY] = put_expiry,
        [GATE_DEADLINE] = put_deadline,
        [GATE_UNIQUE] = put_unique,
        [GATE_PAUSE] = put_pause,
        [GATE_CONCURRENCY] = put_concurrency,
        [GATE_RATE] = put_rate,
        [GATE_BLOCKED] = put_blocked,
        [GATE_ORDER] = put_order,
        [GATE_KIND] = put_kind,
        [GATE_NEEDS] = put_needs,
        [GATE_SLOT] = put_slot,
        [GATE_FETCH] = put_fetch,
        [GATE_TIER] = put_tier,
        [GATE_LINE] = put_line,
    };
    _Static_assert(hob_countof(puts) == GATE_TYPE_COUNT, "each gate has its sentence");
    hob_assert(gate->type < GATE_TYPE_COUNT);
    puts[gate->type](to, gate);
}

/* --- fields --- */

static void add_text(struct fields *fields, const char *name, struct slice text) {
    if (text.size != 0) fields_add(fields, name, FIELD_TEXT)->text = text;
}

void fields_of_gate(struct fields *fields, const struct gate *gate) {
    buf_reset(&fields->spec);
    gate_put(&fields->spec, gate);
    add_text(fields, "gate", slice_str(gate_word(gate->type)));
    fields_add_u64(fields, "open", FIELD_BOOL, gate->is_open);
    add_text(fields, "text", buf_slice(&fields->spec));
    add_text(fields, "of", slice_str(gate_of_word(gate->of)));
    add_text(fields, "name", gate->name);
    fields_add_number(fields, "count", gate->count);
    if (gate->is_least) fields_add_u64(fields, "or_more", FIELD_BOOL, true);
    if (gate->limit != 0) fields_add_number(fields, "limit", gate->limit);
    if (gate->units != 0) fields_add_number(fields, "units", gate->units);
    if (gate->job != 0) fields_add_u64(fields, "job", FIELD_ID, gate->job);
    if (gate->until_ns != 0) fields_add_u64(fields, "until", FIELD_TIME, gate->until_ns);
    add_text(fields, "by", gate->by);
    add_text(fields, "why", gate->why);
}

/* What holds it up, in a word or a sentence. */
static void put_whole(struct buf *to, const struct explanation *explanation) {
    const struct gate *shut = explanation_shut(explanation);
    if (shut != NULL) {
        gate_put(to, shut);
    } else if (explanation->gate_count == 0) {
        (void)buf_printf(to, "it is %s", job_state_word(explanation->state));
    } else {
        (void)buf_put_str(to, "nothing is in its way");
    }
}

void fields_of_explanation(struct fields *fields, const struct explanation *explanation) {
    const struct gate *shut = explanation_shut(explanation);
    buf_reset(&fields->spec);
    put_whole(&fields->spec, explanation);
    fields_add_u64(fields, "id", FIELD_ID, explanation->id);
    add_text(fields, "queue", explanation->queue);
    add_text(fields, "kind", explanation->kind);
    add_text(fields, "state", slice_str(job_state_word(explanation->state)));
    add_text(fields, "text", buf_slice(&fields->spec));
    if (shut != NULL) add_text(fields, "waits_for", slice_str(gate_word(shut->type)));
    if (explanation->start_ns != 0) {
        fields_add_u64(fields, "start_at", FIELD_TIME, explanation->start_ns);
    }
    fields_add(fields, "gates", FIELD_GATES)->explanation = explanation;
}
