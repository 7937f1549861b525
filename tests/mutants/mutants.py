# SPDX-License-Identifier: Apache-2.0
"""The deliberate bugs of tests/mutants/run: what is wrong, where, instead of what, and which tests may find it."""
import collections

Mutant = collections.namedtuple("Mutant", "what file old new tests")

JOURNAL_UNITS = tuple(f"unit:journal/file{name}" for name in (
    "", "_fault", "_crash", "_recover", "_segments", "_states", "_frame"))
POWER = ("e2e:power/power_cuts_that_take_all",)
TORTURE = ("e2e:torture/kills_and_freezes",)

MUTANTS = [
    # --- journal ---
    Mutant("a batch is not synced", "src/journal/file_write.c",
           "return file->relaxed ? JOURNAL_OK : writer_sync(file, &done->error);",
           "return done->seq > 0 ? JOURNAL_OK : writer_sync(file, &done->error);", JOURNAL_UNITS + POWER),
    Mutant("the name of a new segment is not synced", "src/journal/file_segment.c",
           "    failed = dir_sync(file->io, file->dir);\n    if (failed != 0) {\n        file_close(&fd);",
           "    failed = 0;\n    if (failed != 0) {\n        file_close(&fd);", JOURNAL_UNITS + POWER),
    Mutant("a new segment's header is not synced", "src/journal/file_segment.c",
           "    failed = file_sync(file->io, fd);\n    if (failed != 0) return failed;\n    *ret_filled = filled;",
           "    *ret_filled = filled;", JOURNAL_UNITS + POWER),
    Mutant("the checksum of a body is not compared", "src/journal/file_scan.c",
           "if (crc32c(0, bytes + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES) != ret_frame->body_crc) {",
           "if (size == 0) {", JOURNAL_UNITS),
    Mutant("the checksum of a header is not compared", "src/journal/file_frame.c",
           "if (get_u32le(from + 4) != crc32c(seed, from + 8, FRAME_HEADER_BYTES - 8)) {",
           "if (get_u32le(from + 4) == 0 && seed == 0) {", JOURNAL_UNITS),
    Mutant("frames of a segment's earlier life are believed", "src/journal/file_frame.c",
           "uint64_t mixed = identity ^ segment;", "uint64_t mixed = identity ^ (segment & 0);", JOURNAL_UNITS),
    Mutant("after a failed sync it goes on", "src/journal/file_write.c",
           "if (done.result == JOURNAL_FAILED) failure_note(file, &done.error);",
           "if (done.result == JOURNAL_REFUSED) failure_note(file, &done.error);", JOURNAL_UNITS),
    Mutant("the end is believed without being written again", "src/journal/file_recover.c",
           "    if (at == 0) return HOB_OK;\n    int failed = 0;",
           "    if (at != 1) return HOB_OK;\n    int failed = 0;",
           JOURNAL_UNITS),
    # --- space ---
    Mutant("a reply before its batch is durable", "src/space/space.c",
           "    return space->durable;\n}", "    return space->filling->head.seq;\n}",
           ("unit:space/space", "unit:space/copy") + TORTURE),
    Mutant("cleaning loses bodies", "src/space/clean.c",
           "    batch_add(space, effect);\n    return true;", "    return true;", ("unit:space/space", "sim:")),
    Mutant("cleaning loses jobs", "src/space/clean.c",
           "(void)engine_restate(space->engine, &effect, (uint32_t)cleaning->entry.batch.seq);",
           "if (cleaning->entry_at % 7 != 0) {\n            "
           "(void)engine_restate(space->engine, &effect, (uint32_t)cleaning->entry.batch.seq);\n        }",
           ("unit:space/space", "sim:")),
    Mutant("a segment goes before what replaces it is durable", "src/space/clean.c",
           "    if (space->cleaning.step == CLEAN_WAITING && space->durable >= space->cleaning.durable_at) {",
           "    if (space->cleaning.step == CLEAN_WAITING) {", ("unit:space/space", "sim:") + POWER),
    Mutant("pushes go on when the disk is full", "src/space/space.c",
           "return !space->full;", "return true;", ("unit:space/space", "e2e:disk_full", "unit:journal/file")),
    # --- engine ---
    Mutant("a lease holds a nanosecond longer", "src/engine/finish.c",
           "if (engine->now_ns >= job_over_ns(engine, job)) {", "if (engine->now_ns > job_over_ns(engine, job)) {",
           ("unit:engine/engine", "sim:")),
    Mutant("an ack with an older token is taken", "src/engine/finish.c",
           "run_at(engine, job->run)->token != lease.token", "run_at(engine, job->run)->token < lease.token",
           ("unit:engine/engine", "sim:") + TORTURE),
    Mutant("tokens begin again after a restart", "src/engine/carry.c",
           "    job->attempt++;\n    next_above(&engine->next_token, effect->token);",
           "    job->attempt++;\n    if (!engine->replaying) next_above(&engine->next_token, effect->token);",
           ("unit:engine/engine", "sim:") + TORTURE),
    Mutant("a rescued job comes again as the same attempt", "src/engine/turn.c",
           ".rescued = true,", ".rescued = false,", ("unit:engine/engine", "sim:") + TORTURE),
    Mutant("a lost job has one attempt too many", "src/engine/turn.c",
           "if (job->attempt >= job->attempt_max) {", "if (job->attempt > job->attempt_max) {",
           ("unit:engine/engine", "sim:")),
    Mutant("a failed job does not wait", "src/engine/finish.c",
           "failed.job_failed.run_at_ns = last ? 0 : ns_add(engine->now_ns, delay_ns);",
           "failed.job_failed.run_at_ns = last ? 0 : ns_add(engine->now_ns, delay_ns / 2);",
           ("unit:engine/engine", "sim:") + TORTURE),
    Mutant("a key makes a second job", "src/engine/push.c",
           "    if (id == 0) return false;\n    uint32_t job = job_find(engine, id);",
           "    if (id % 5 != 1) return false;\n    uint32_t job = job_find(engine, id);",
           ("unit:engine/engine", "sim:") + TORTURE),
    Mutant("a key is forgotten by a restart", "src/engine/push.c",
           "return key->until_ns <= engine->now_ns ? 0 : key->id;",
           "return ns_add(engine->now_ns, KEY_KEPT_NS) > key->until_ns + NS_PER_SECOND ? 0 : key->id;",
           ("unit:engine/engine", "sim:")),
    Mutant("a slot is not given back", "src/engine/job.c",
           "        worker_at(engine, run_at(engine, job->run)->worker)->running--;\n        break;\n"
           "    case JOB_SCHEDULED:",
           "        worker_at(engine, run_at(engine, job->run)->worker)->running -= job->attempt == 1;\n"
           "        break;\n    case JOB_SCHEDULED:", ("unit:engine/engine", "sim:")),
    Mutant("a unique key is held for good", "src/engine/job.c",
           "    unique_leave(engine, handle);\n    switch",
           "    if (job->attempt < 2) unique_leave(engine, handle);\n    switch",
           ("unit:engine/unique", "sim:")),
    # --- server ---
    Mutant("the server answers before it is durable", "src/server/server.c",
           "    uint64_t seq = space_durable(server->space);\n    if (server->metrics",
           "    uint64_t seq = space_durable(server->space) + 1;\n    if (server->metrics",
           ("e2e:crash", ) + TORTURE + POWER),
    Mutant("a connection sends what is not released", "src/net/output.c",
           "conn->marks[done].seq <= conn->net->durable", "conn->marks[done].seq <= conn->net->durable + 1",
           ("unit:net/net", "e2e:crash") + TORTURE),
    Mutant("the server goes on without its journal", "src/server/server.c",
           "    self_exit_now(status_exit_code(failure->status));", "    (void)failure;",
           ("e2e:faults/a_sync",)),
]
