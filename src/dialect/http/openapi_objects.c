/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of what is answered. Objects of the engine are described by what prints them: the
 * list of fields of an object that has everything gives the members, that of one that has nothing
 * gives those that are always there. The small rest is written by hand. */
#include "base/assert.h"
#include "dialect/http/openapi.h"

static const char *field_schema(enum field_type type) {
    switch (type) {
    case FIELD_ID:
        return OPENAPI_REF("JobId");
    case FIELD_NUMBER:
    case FIELD_SPAN:
        return "{'type':'integer','minimum':0}";
    case FIELD_SIGNED:
        return "{'type':'integer'}";
    case FIELD_TIME:
        return OPENAPI_REF("Time");
    case FIELD_BOOL:
        return "{'type':'boolean'}";
    case FIELD_TEXT:
    case FIELD_TRACE:
        return "{'type':'string'}";
    case FIELD_TAGS:
        return "{'type':'array','items':{'type':'string'}}";
    case FIELD_ERRORS:
        return "{'type':'array','items':" OPENAPI_REF("JobError") "}";
    case FIELD_KINDS:
        return "{'type':'array','items':" OPENAPI_REF("Unserved") "}";
    case FIELD_GATES:
        return "{'type':'array','items':" OPENAPI_REF("Gate") "}";
    case FIELD_MINUTES:
        return "{'type':'array','items':" OPENAPI_REF("StatisticsMinute") "}";
    case FIELD_DONE:
        return "{'type':'object'}";
    case FIELD_BYTES:
    case FIELD_BODY:
    case FIELD_JSON:
        break;
    }
    return "{}"; /* any JSON */
}

static void put_field(struct json_put *put, const struct field *field) {
    bool is_state = strcmp(field->name, "state") == 0;
    json_put_key(put, field->name);
    openapi_text(put, is_state ? OPENAPI_REF("JobState") : field_schema(field->type));
    if (field->type != FIELD_BYTES && field->type != FIELD_BODY) return;
    HOB_AUTO_BUF struct buf encoding = buf_make(64);
    (void)buf_printf(&encoding, "%s_encoding", field->name);
    json_put_key_slice(put, buf_slice(&encoding));
    openapi_text(put, "{'type':'string','enum':['text','base64']}");
}

static void put_object(
    struct json_put *put, const char *name, const struct fields *all, const struct fields *least
) {
    json_put_key(put, name);
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, "object");
    json_put_key(put, "required");
    json_put_array(put);
    for (uint32_t i = 0; i < least->count; i++) json_put_str(put, least->items[i].name);
    json_put_array_end(put);
    json_put_key(put, "properties");
    json_put_object(put);
    for (uint32_t i = 0; i < all->count; i++) put_field(put, &all->items[i]);
    json_put_object_end(put);
    json_put_object_end(put);
}

/* A job that has everything: its pieces are not zero, whatever they are. */
static struct job_view whole_job(void) {
    struct slice text = SLICE("1");
    struct body_ref body = {.id = 1, .size = 1};
    return (struct job_view){
        .id = 1,
        .state = JOB_RUNNING,
        .queue = text,
        .kind = text,
        .created_ns = 1,
        .state_ns = 1,
        .run_at_ns = 1,
        .started_ns = 1,
        .lease_until_ns = 1,
        .timeout_ns = 1,
        .token = 1,
        .worker = text,
        .payload_body = body,
        .key = text,
        .ref = text,
        .unique = text,
        .unique_for_ns = 1,
        .merged = 1,
        .has_keep = true,
        .percent = 1,
        .progress_text = text,
        .by = text,
        .why = text,
        .result = body,
        .checkpoint = body,
        .errors = {{.what = text, .text = text, .at_ns = 1, .backtrace = body}},
        .error_count = 1,
        .headers = SLICE("{}"),
        .tags = text,
        .content_type = text,
        .on_done = SLICE("{}"),
        .parent = 1,
        .version = 1,
        .expires_ns = 1,
        .deadline_ns = 1,
        .margin_ns = 1,
        .needs = SLICE("a"),
        .cost = 2,
    };
}

/* The least is a new job: its times are there. */
static struct job_view plain_job(void) {
    struct slice text = SLICE("1");
    return (struct job_view){.queue = text, .kind = text, .created_ns = 1, .state_ns = 1};
}

static void put_jobs(struct json_put *put) {
    static const struct {
        const char *name;
        enum job_detail detail;
    } schemas[] = {{"Job", JOB_WHOLE}, {"JobRow", JOB_SHORT}, {"LeasedJob", JOB_LEASED}};
    const struct job_view whole = whole_job();
    const struct job_view plain = plain_job();
    for (size_t i = 0; i < hob_countof(schemas); i++) {
        HOB_AUTO_FIELDS struct fields all = fields_make();
        HOB_AUTO_FIELDS struct fields least = fields_make();
        fields_of_job(&all, &whole, schemas[i].detail);
        fields_of_job(&least, &plain, schemas[i].detail);
        put_object(put, schemas[i].name, &all, &least);
    }
    HOB_AUTO_FIELDS struct fields all = fields_make();
    HOB_AUTO_FIELDS struct fields least = fields_make();
    const struct job_error nothing = {.at_ns = 1};
    fields_of_error(&all, &whole.errors[0]);
    fields_of_error(&least, &nothing);
    put_object(put, "JobError", &all, &least);
}

/* Kinds, limiters and groups: what stops their jobs. */
static void put_valves(struct json_put *put) {
    static const char *const names[] = {
        [VALVE_QUEUE] = NULL,
        [VALVE_KIND] = "Kind",
        [VALVE_GROUP] = "Group",
        [VALVE_LIMITER] = "Limiter",
    };
    struct slice text = SLICE("1");
    for (enum valve_sort sort = VALVE_KIND; sort < VALVE_SORT_COUNT; sort++) {
        HOB_AUTO_FIELDS struct fields all = fields_make();
        HOB_AUTO_FIELDS struct fields least = fields_make();
        struct valve_view valve = {.sort = sort, .name = text};
        if (sort == VALVE_GROUP) valve.queue = text;
        fields_of_valve(&least, &valve);
        valve.own = (struct valve_settings){.has_rate = true};
        valve.rate = (struct rate){.count = 1, .period_ns = NS_PER_SECOND};
        valve.opens_ns = 1;
        valve.paused = true;
        valve.paused_until_ns = 1;
        valve.paused_by = text;
        valve.paused_why = text;
        valve.blocked_by = 1;
        fields_of_valve(&all, &valve);
        put_object(put, names[sort], &all, &least);
    }
}

static void put_others(struct json_put *put, const struct host *host) {
    HOB_AUTO_FIELDS struct fields all = fields_make();
    HOB_AUTO_FIELDS struct fields least = fields_make();
    struct slice text = SLICE("1");
    struct queue_view queue = {.name = text};
    fields_of_queue(&least, &queue);
    queue.paused = true;
    queue.paused_until_ns = 1;
    queue.paused_by = text;
    queue.paused_why = text;
    queue.oldest_ns = 1;
    queue.aging_ns = 1;
    queue.rate = (struct rate){.count = 1, .period_ns = NS_PER_SECOND};
    queue.group_rule.rate = queue.rate;
    queue.opens_ns = 1;
    fields_of_queue(&all, &queue);
    put_object(put, "Queue", &all, &least);
    struct worker_view worker = {.name = text, .alive_until_ns = 1};
    all.count = 0;
    least.count = 0;
    fields_of_worker(&least, &worker);
    worker.labels = text;
    fields_of_worker(&all, &worker);
    put_object(put, "Worker", &all, &least);
    struct unserved_view row = {.queue = text, .kind = text, .since_ns = 1};
    all.count = 0;
    least.count = 0;
    fields_of_unserved(&least, &row);
    row.needs = text;
    row.cost = 2;
    fields_of_unserved(&all, &row);
    put_object(put, "Unserved", &all, &least);
    const struct host_stats stats = {.turns = 0};
    const struct unserved_list unserved = {.count = 0};
    all.count = 0;
    fields_of_stats(&all, host, &stats, &unserved);
    put_object(put, "Stats", &all, &all);
}

static void put_explanation(struct json_put *put) {
    HOB_AUTO_FIELDS struct fields all = fields_make();
    HOB_AUTO_FIELDS struct fields least = fields_make();
    struct slice text = SLICE("1");
    struct explanation explanation = {.queue = text, .kind = text};
    struct gate gate = {.type = GATE_PAUSE, .is_open = true};
    fields_of_explanation(&least, &explanation);
    explanation.start_ns = 1;
    explanation.gate_count = 1;
    fields_of_explanation(&all, &explanation);
    put_object(put, "Explanation", &all, &least);
    all.count = 0;
    least.count = 0;
    fields_of_gate(&least, &gate);
    gate = (struct gate
    ){.name = text, .limit = 1, .is_least = true, .until_ns = 1, .by = text, .why = text};
    fields_of_gate(&all, &gate);
    put_object(put, "Gate", &all, &least);
}

/* Means and quantiles are absent where nothing ran; counts of now where it is no queue's. */
static void put_statistics(struct json_put *put) {
    HOB_AUTO_FIELDS struct fields all = fields_make();
    HOB_AUTO_FIELDS struct fields least = fields_make();
    struct slice text = SLICE("1");
    const struct statistics_waiting waiting = {.oldest_ns = 1};
    struct statistics_asked asked = {.of = STATISTICS_ALL};
    struct statistics_view view = {.since_ns = 1};
    fields_of_statistics(&least, &asked, NULL, 1, &view);
    asked = (struct statistics_asked){.of = STATISTICS_QUEUE, .name = text, .series = true};
    view.window.counts[COUNTED_STARTED] = 1;
    view.window.counts[COUNTED_ENDED] = 1;
    view.wait.count = 1;
    view.run.count = 1;
    fields_of_statistics(&all, &asked, &waiting, 1, &view);
    put_object(put, "QueueStatistics", &all, &least);
    asked.of = STATISTICS_KIND;
    all.count = 0;
    fields_of_statistics(&all, &asked, &waiting, 1, &view);
    put_object(put, "KindStatistics", &all, &least);
    asked.of = STATISTICS_ALL;
    all.count = 0;
    fields_of_statistics(&all, &asked, NULL, 1, &view);
    put_object(put, "AllStatistics", &all, &least);
    struct statistics_minute minute = {.at_ns = 1};
    all.count = 0;
    least.count = 0;
    fields_of_minute(&least, &minute);
    minute.sum = view.window;
    fields_of_minute(&all, &minute);
    put_object(put, "StatisticsMinute", &all, &least);
}

/* --- by hand --- */

#define OBJECT(required, members) \
    "{'type':'object','required':[" required "],'properties':{" members "}}"
#define PAGE(name, item)                                                                     \
    OBJECT(                                                                                  \
        "'" name "','next'",                                                                 \
        "'" name                                                                             \
        "':{'type':'array','items':" OPENAPI_REF(item) "},'next':{'type':['string','null']}" \
    )

#define TOKEN(required, members)                                                               \
    OBJECT(                                                                                    \
        "'name','scopes','queues','created_at'" required,                                      \
        "'name':" OPENAPI_REF("Name") ",'scopes':{'type':'array','items':" OPENAPI_REF("Scope" \
        ) "},'queues':{'type':'array','items':{'type':'string'},'description':"                \
          "'Globs; none: every queue.'},'created_at':" OPENAPI_REF("Time"                      \
          ) ",'expires_at':" OPENAPI_REF("Time") ",'used_at':" OPENAPI_REF("Time"              \
          ) ",'by':{'type':'string'}" members                                                  \
    )

static const struct {
    const char *name;
    const char *text;
} schemas[] = {
    {"JobId",
     "{'type':'string','pattern':'^[0-9]+$','description':'A number as a text: it may be above "
     "2^53.'}"},
    {"JobRef", "{'oneOf':[" OPENAPI_REF("JobId") ",{'type':'integer','minimum':1}]}"},
    {"Name",
     "{'type':'string','minLength':1,'maxLength':200,'pattern':'^[A-Za-z0-9+/;:.$_()][A-Za-z0-9+/"
     ";:.$_()-]*$'}"},
    {"Pattern",
     "{'type':'string','minLength':1,'maxLength':201,'pattern':'^!?[A-Za-z0-9+/;:.$_()*?-]+$',"
     "'description':'A name, or a glob: * any run, ? one byte; ! before it excludes.'}"},
    {"Time", "{'type':'string','format':'date-time'}"},
    {"Moment",
     "{'oneOf':[" OPENAPI_REF("Time") ",{'type':'integer','minimum':0,'description':'Unix ms.'}]}"},
    {"Past",
     "{'oneOf':[" OPENAPI_REF("Moment"
     ) ",{'type':'string','description':'How long ago.','examples':['30s','1h30m']}]}"},
    {"Span",
     "{'oneOf':[{'type':'integer','minimum':0,'description':'ms'},{'type':'string','examples':['"
     "30s','1h30m']}]}"},
    {"Backoff",
     "{'type':'string','examples':['exponential:2s:6h','fixed:10s','list:1s,5s,1m','sidekiq']}"},
    {"Tags",
     "{'oneOf':[{'type':'string'},{'type':'array','maxItems':16,'items':" OPENAPI_REF("Name"
     ) "}]}"},
    {"Pushed",
     OBJECT(
         "'id','state','duplicate'",
         "'id':" OPENAPI_REF("JobId") ",'state':" OPENAPI_REF("JobState"
         ) ",'duplicate':{'type':'boolean'}"
     )},
    {"PushedOrJob", "{'anyOf':[" OPENAPI_REF("Pushed") "," OPENAPI_REF("Job") "]}"},
    {"PushedLine", "{'anyOf':[" OPENAPI_REF("Pushed") "," OPENAPI_REF("Refused") "]}"},
    {"Refused",
     OBJECT(
         "'code','detail'",
         "'id':" OPENAPI_REF("JobId") ",'code':{'type':'string'},'detail':{'type':'string'}"
     )},
    {"State", OBJECT("'state'", "'state':" OPENAPI_REF("JobState"))},
    {"JobStateLine", "{'anyOf':[" OPENAPI_REF("JobNow") "," OPENAPI_REF("Refused") "]}"},
    {"JobNow", OBJECT("'id'", "'id':" OPENAPI_REF("JobId") ",'state':" OPENAPI_REF("JobState"))},
    {"Many",
     OBJECT(
         "'jobs','done','refused','next'",
         "'jobs':{'type':'array','items':" OPENAPI_REF("JobStateLine"
         ) "},'done':{'type':'integer'},'refused':{'type':'integer'},'next':{'type':['string','"
           "null']}"
     )},
    {"Lease", OBJECT("'lease_until'", "'lease_until':" OPENAPI_REF("Time"))},
    {"Done", "{'type':'object','maxProperties':0}"},
    {"Leased", OBJECT("'jobs'", "'jobs':{'type':'array','items':" OPENAPI_REF("LeasedJob") "}")},
    {"JobPage", PAGE("jobs", "JobRow")},
    {"QueuePage", PAGE("queues", "Queue")},
    {"KindPage", PAGE("kinds", "Kind")},
    {"GroupPage", PAGE("groups", "Group")},
    {"LimiterPage", PAGE("limiters", "Limiter")},
    {"Skipped",
     OBJECT("'skipped'", "'skipped':{'oneOf':[" OPENAPI_REF("JobId") ",{'type':'null'}]}")},
    {"Rate",
     "{'type':'string','pattern':'^(none|[0-9]+/[0-9a-z]+)$','examples':['100/1m','none']}"},
    {"Limiters",
     "{'oneOf':[{'type':'string'},{'type':'array','maxItems':4,'items':{'type':'string','examples':"
     "['stripe','disk=2']}}]}"},
    {"WorkerPage", PAGE("workers", "Worker")},
    {"NewLine",
     OBJECT(
         "'text'",
         "'text':{'type':'string'},'stream':{'type':'string','enum':['out','err','sys']},"
         "'level':{'type':'string','enum':['debug','info','warn','error']},'at':" OPENAPI_REF(
             "Moment"
         )
     )},
    {"LogLine",
     OBJECT(
         "'seq','at','attempt','stream','level','text'",
         "'seq':{'type':'string'},'at':" OPENAPI_REF("Time"
         ) ",'attempt':{'type':'integer'},"
           "'stream':{'type':'string'},'level':{'type':'string'},'text':{'type':'string'}"
     )},
    {"Log", OBJECT("'lines'", "'lines':{'type':'array','items':" OPENAPI_REF("LogLine") "}")},
    {"FoundLine",
     OBJECT(
         "'id','queue','kind','state','attempt','at','place','level','text'",
         "'id':" OPENAPI_REF("JobId"
         ) ",'queue':{'type':'string'},'kind':{'type':'string'},"
           "'state':" OPENAPI_REF("JobState"
           ) ",'attempt':{'type':'integer'},"
             "'at':" OPENAPI_REF("Time"
             ) ",'place':{'type':'string','enum':['log','error','backtrace']},"
               "'stream':{'type':'string'},'seq':{'type':'string'},'level':{'type':'string'},"
               "'text':{'type':'string'}"
     )},
    {"LogPage",
     OBJECT(
         "'lines','next','jobs','bytes'",
         "'lines':{'type':'array','items':" OPENAPI_REF("FoundLine"
         ) "},"
           "'next':{'type':['string','null']},'jobs':{'type':'integer'},'bytes':{'type':'integer'}"
     )},
    {"Scope", "{'type':'string','enum':['push','work','read','manage','admin']}"},
    {"Token", TOKEN("", "")},
    {"NewToken",
     TOKEN(",'token'", ",'token':{'type':'string','description':'It is not shown again.'}")},
    {"Tokens", OBJECT("'tokens'", "'tokens':{'type':'array','items':" OPENAPI_REF("Token") "}")},
    {"AuditLine",
     OBJECT(
         "'at','who','from','what','result'",
         "'at':" OPENAPI_REF("Time"
         ) ",'who':{'type':'string'},'from':{'type':'string'},"
           "'what':{'type':'string'},'result':{'type':'string'},'job':" OPENAPI_REF("JobId"
           ) ",'queue':{'type':'string'},'fields':{'type':'string'},'token':{'type':'string'},"
             "'scopes':{'type':'string'},'queues':{'type':'string'},'scope':{'type':'string'},"
             "'by':{'type':'string'},'why':{'type':'string'}"
     )},
    {"Audit", OBJECT("'lines'", "'lines':{'type':'array','items':" OPENAPI_REF("AuditLine") "}")},
    {"Problem",
     OBJECT(
         "'type','title','status','code','detail'",
         "'type':{'type':'string','format':'uri-reference'},"
         "'title':{'type':'string'},'status':{'type':'integer'},'code':{'type':'string'},"
         "'detail':{'type':'string'},'request_id':{'type':'string'},'id':" OPENAPI_REF("JobId")
     )},
    {"ProblemPage",
     OBJECT(
         "'type','code','status','title','advice'",
         "'type':{'type':'string'},"
         "'code':{'type':'string'},'status':{'type':'integer'},'title':{'type':'string'},'advice':{"
         "'type':'string'}"
     )},
    {"ProblemPages",
     OBJECT("'problems'", "'problems':{'type':'array','items':" OPENAPI_REF("ProblemPage") "}")},
    {"Version",
     OBJECT(
         "'name','version','api'",
         "'name':{'type':'string'},'version':{'type':'string'},'api':{'type':'string'}"
     )},
    {"Document", "{'type':'object'}"},
};

static void put_states(struct json_put *put) {
    HOB_AUTO_BUF struct buf pattern = buf_make(1024);
    HOB_AUTO_BUF struct buf one = buf_make(256);
    json_put_key(put, "JobState");
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, "string");
    json_put_key(put, "enum");
    json_put_array(put);
    for (enum job_state state = 0; state < JOB_STATE_COUNT; state++) {
        json_put_str(put, job_state_word(state));
        if (one.size > 0) (void)buf_put_char(&one, '|');
        (void)buf_put_str(&one, job_state_word(state));
    }
    json_put_array_end(put);
    json_put_object_end(put);
    (void)buf_printf(
        &pattern, "^(%.*s)(,(%.*s))*$", SLICE_ARG(buf_slice(&one)), SLICE_ARG(buf_slice(&one))
    );
    json_put_key(put, "States");
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, "string");
    json_put_key(put, "pattern");
    json_put_text(put, buf_slice(&pattern));
    json_put_object_end(put);
}

void openapi_schemas(struct json_put *put, const struct host *host) {
    json_put_key(put, "schemas");
    json_put_object(put);
    put_states(put);
    put_jobs(put);
    put_others(put, host);
    put_valves(put);
    put_explanation(put);
    put_statistics(put);
    json_put_key(put, "Filter");
    openapi_body(put, &list_options, NULL);
    for (size_t i = 0; i < hob_countof(schemas); i++) {
        json_put_key(put, schemas[i].name);
        openapi_text(put, schemas[i].text);
    }
    json_put_object_end(put);
}
