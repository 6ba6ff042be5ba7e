/*
 * ladder.c - A path told step by step: what happened, both ends, what is in flight.
 */
#include "model.h"

static const char *const kinds[STEP_KINDS] = {
    [STEP_DELIVER] = "arrives:",
    [STEP_STRAY] = "arrives late:",
    [STEP_DROP] = "is lost:",
    [STEP_DOUBLE] = "arrives, and a copy stays behind:",
    [STEP_DELAY] = "is delayed:",
    [STEP_TIMER] = "timer",
    [STEP_LISTEN] = "listens",
    [STEP_CONNECT] = "connects",
    [STEP_UPGRADE] = "connects from its listener",
    [STEP_UNLISTEN] = "closes its listener",
    [STEP_WRITE] = "writes",
    [STEP_READ] = "reads",
    [STEP_SHUTDOWN] = "shuts down",
    [STEP_WRITE_SHUTDOWN] = "writes and shuts down",
    [STEP_CLOSE] = "closes",
    [STEP_ABORT] = "aborts",
    [STEP_REBOOT] = "reboots",
};

/* Numbers are told relative to the life that they are nearest to: "2:1" is life 2, one past its ISN. */
static void print_number(const struct model *m, unsigned side, uint32_t number, FILE *out)
{
    unsigned best = 1;
    for (unsigned life = 1; life <= MODEL_LIVES; life++)
        if (number - model_iss(m, side, life) < number - model_iss(m, side, best))
            best = life;
    fprintf(out, "%u:%u", best, number - model_iss(m, side, best));
}

static void print_segment(const struct model *m, unsigned from, uint32_t name, FILE *out)
{
    static const char letters[] = "FSRPAU";
    struct model_fields f;

    model_segment_read(model_segment_at(m, name), &f);
    for (unsigned bit = 0; bit < 6; bit++)
        if (f.flags >> bit & 1)
            fputc(letters[bit], out);
    fputs(" seq ", out);
    print_number(m, from, f.seq, out);
    if (f.flags & TCP_ACK) {
        fputs(" ack ", out);
        print_number(m, 1 - from, f.ack, out);
    }
    if (f.length)
        fprintf(out, " len %u", f.length);
    if (f.window < 1024)
        fprintf(out, " win %u", f.window);
}

static void print_wire(const struct model *m, unsigned from, FILE *out)
{
    const struct model_wire *wire = &m->at.wire[from];
    if (!wire->count && !wire->strays)
        return;
    fprintf(out, "        wire %u -> %u:", from, 1 - from);
    for (unsigned i = 0; i < wire->count; i++) {
        fputs(" [", out);
        print_segment(m, from, wire->fifo[i], out);
        fputc(']', out);
    }
    for (unsigned i = 0; i < wire->strays; i++) {
        fputs(" (", out);
        print_segment(m, from, wire->stray[i], out);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void print_end(const struct model *m, unsigned side, FILE *out)
{
    const struct model_end *end = &m->at.end[side];
    struct model_view view;

    model_view(m, side, &view);
    fprintf(out, "        host %u %-12s %s%s%s%s%s", side, sanwo_tcp_state_name(view.state),
            view.half_open   ? "record "
            : view.time_wait ? "record "
            : view.husks     ? "closed block held "
                             : "",
            end->has_conn ? "open " : "", end->shut ? "shut " : "", end->eof ? "eof " : "",
            end->failed ? "failed " : "");
    if (view.conn && view.conn->state != SANWO_TCP_CLOSED) {
        fputs("una ", out);
        print_number(m, side, view.conn->send.snd_una.raw, out);
        fputs(" nxt ", out);
        print_number(m, side, view.conn->send.snd_nxt.raw, out);
        if (view.conn->state != SANWO_TCP_SYN_SENT) {
            fputs(" rcv ", out);
            print_number(m, 1 - side, view.conn->receive.rcv_nxt.raw, out);
        }
    }
    sanwo_time when = model_next_timer(m, side);
    if (when != SANWO_TIME_NEVER)
        fprintf(out, "  timer in %.3f s",
                (double)(when - sanwo_stack_now(m->host[side].stack)) / 1e9);
    fputc('\n', out);
}

void model_print_step(const struct model *m, struct model_step step, FILE *out)
{
    const struct model_wire *wire = &m->at.wire[1 - step.side];
    fprintf(out, "host %u  %s ", step.side, kinds[step.kind]);
    if (step.kind == STEP_STRAY)
        print_segment(m, 1 - step.side, wire->stray[step.index], out);
    else if (step.kind <= STEP_DELAY)
        print_segment(m, 1 - step.side, wire->fifo[0], out);
    fputc('\n', out);
}

void model_print_situation(const struct model *m, FILE *out)
{
    for (unsigned side = 0; side < 2; side++)
        print_end(m, side, out);
    for (unsigned side = 0; side < 2; side++)
        print_wire(m, side, out);
}
