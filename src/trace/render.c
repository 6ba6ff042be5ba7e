/*
 * render.c - Which renderer, and printing through a writer.
 */
#include "trace/trace.h"

#include <stdarg.h>
#include <stdio.h>

void sw_trace_print(const struct sanwo_trace_writer *w, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (n > 0) {
        w->write(w->context, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    }
}

int sanwo_trace_render(const struct sanwo_trace *t, enum sanwo_trace_format format,
                       const struct sanwo_trace_style *style,
                       const struct sanwo_trace_writer *writer)
{
    static const struct sanwo_trace_style plain = {false, false};

    if (t->out_of_memory) {
        return -SANWO_ENOMEM;
    }
    style = style == NULL ? &plain : style;
    switch (format) {
    case SANWO_TRACE_LADDER:
        return sw_trace_ladder(t, style, writer);
    case SANWO_TRACE_TCPDUMP:
        return sw_trace_lines(t, TRACE_TCPDUMP, style, writer);
    case SANWO_TRACE_CLASSIC:
        return sw_trace_lines(t, TRACE_CLASSIC, style, writer);
    case SANWO_TRACE_JSON:
        return sw_trace_json(t, writer);
    case SANWO_TRACE_SVG:
        return sw_trace_svg(t, writer);
    default:
        return -SANWO_EINVAL;
    }
}
