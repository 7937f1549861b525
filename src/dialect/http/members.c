/* SPDX-License-Identifier: Apache-2.0 */
/* JSON members and query parameters as options (dialect/option.h). What no option knows is refused:
 * a slip of the pen must not be a job without its delay. */
#include "dialect/members.h"

#include "base/assert.h"
#include "dialect/http/core.h"

bool http_member(
    struct http_session *session,
    struct option_set set,
    struct slice key,
    struct json_value value,
    void *target
) {
    return member_put(session->base.host, set, key, value, target);
}

bool http_members(
    struct http_session *session, struct option_set set, struct json_value object, void *target
) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (!http_member(session, set, key, value, target)) return false;
    }
    return true;
}

bool http_query(struct http_session *session, const struct call *call, void *target) {
    const struct option_set *set = http_shape_of(session->route)->params;
    struct option_set params = set == NULL ? (struct option_set){NULL, 0} : *set;
    return http_params(session, params, call->request, target);
}

bool http_fill(struct http_session *session, const struct call *call, void *target) {
    const struct option_set *set = http_shape_of(session->route)->members;
    hob_assert(set != NULL);
    return http_members(session, *set, call->json, target);
}

bool http_params(
    struct http_session *session,
    struct option_set set,
    const struct http_request *request,
    void *target
) {
    struct buf *complaint = &session->base.host->complaint;
    hob_ns now_ns = session->base.host->now_ns;
    for (size_t i = 0; i < request->params_count; i++) {
        struct slice name = request->params[i].name;
        struct slice value = request->params[i].value;
        const struct option *option = option_by_member(set, name);
        if (option == NULL) return option_unknown_member(set, name, complaint);
        if (value.size == 0) continue;
        if (!option_put(option, option->member, value, now_ns, target, complaint)) return false;
    }
    return true;
}

bool http_bytes(
    struct http_session *session,
    const char *name,
    struct slice key,
    struct json_value value,
    struct slice *ret_bytes,
    bool *ret_good
) {
    return member_bytes(session->base.host, name, key, value, ret_bytes, ret_good);
}

bool http_id(struct http_session *session, const struct call *call, uint64_t *ret_id) {
    return option_id("id", call->name, ret_id, &session->base.host->complaint);
}

bool http_queue_name(struct http_session *session, const struct call *call) {
    return option_name("queue", call->name, &session->base.host->complaint);
}

bool http_id_member(
    struct http_session *session, const char *name, struct json_value value, uint64_t *ret_id
) {
    struct slice text = value.raw;
    if (value.type == JSON_IS_STRING && !json_text(value, &session->base.host->scratch, &text)) {
        text = value.raw;
    }
    return option_id(name, text, ret_id, &session->base.host->complaint);
}

bool http_name_list(
    struct http_session *session,
    const char *name,
    struct json_value value,
    struct http_names names,
    uint32_t *ret_count
) {
    struct buf *complaint = &session->base.host->complaint;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    uint32_t count = 0;
    bool all = true;
    while (all && json_next_item(&walk, &item)) {
        all = count < names.max;
        if (!all) break;
        if (!json_text(item, &session->base.host->scratch, &names.items[count])) {
            return complain(complaint, name, item.raw, "a string");
        }
        if (!names.is_good(name, names.items[count], complaint)) return false;
        count++;
    }
    *ret_count = count;
    if (value.type == JSON_IS_ARRAY && count > 0 && all) return true;
    return complain(complaint, name, value.raw, "an array of 1 to 256 names");
}

bool http_missing(struct http_session *session, const char *member) {
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, member);
    (void)buf_put_str(complaint, ": it is missing");
    return false;
}
