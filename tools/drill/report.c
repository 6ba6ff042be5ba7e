/*
 * report.c - Telling the results.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

size_t sw_drill_report_count(const struct drill_report *r, enum drill_verdict verdict)
{
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++)
        n += r->results[i].verdict == verdict;
    return n;
}

/* ---- text ------------------------------------------------------------------------------------------ */

struct reason {
    const char *text;
    size_t count, first;
};

/* The most frequent first, else by the first script. */
static int by_count(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->first < y->first ? -1 : 1;
}

static void print_skips(const struct drill_report *r, FILE *out)
{
    struct reason *reasons = calloc(r->count + 1, sizeof *reasons);
    size_t n = 0;

    for (size_t i = 0; reasons && i < r->count; i++) {
        const struct drill_result *result = &r->results[i];
        size_t k = 0;

        if (result->verdict != DRILL_SKIPPED)
            continue;
        while (k < n && strcmp(reasons[k].text, result->message))
            k++;
        if (k == n)
            reasons[n++] = (struct reason){.text = result->message, .first = i};
        reasons[k].count++;
    }
    if (n) {
        qsort(reasons, n, sizeof *reasons, by_count);
        fprintf(out, "skipped:\n");
        for (size_t k = 0; k < n; k++)
            fprintf(out, "%5zu x %s (%s)\n", reasons[k].count, reasons[k].text,
                    r->paths[reasons[k].first]);
    }
    free(reasons);
}

static void print_place(const struct drill_report *r, size_t i, FILE *out)
{
    fprintf(out, "%s:", r->paths[i]);
    if (r->results[i].line)
        fprintf(out, "%u:", r->results[i].line);
}

static void print_result(const struct drill_report *r, size_t i, FILE *out)
{
    const struct drill_result *result = &r->results[i];
    static const char *const words[] = {"passed", "FAILED", "skipped"};
    size_t length = strlen(result->detail);

    fprintf(out, "%s ", words[result->verdict]);
    if (result->verdict == DRILL_PASSED)
        fprintf(out, "%s\n", r->paths[i]);
    else {
        print_place(r, i, out);
        fprintf(out, " %s\n", result->message);
    }
    fputs(result->detail, out);
    if (length && result->detail[length - 1] != '\n')
        fputc('\n', out);
}

void sw_drill_report_text(const struct drill_report *r, bool verbose, FILE *out)
{
    for (size_t i = 0; i < r->count; i++)
        if (verbose || r->results[i].verdict == DRILL_FAILED || r->results[i].detail[0])
            print_result(r, i, out);
    print_skips(r, out);
    fprintf(out, "%zu passed, %zu failed, %zu skipped\n", sw_drill_report_count(r, DRILL_PASSED),
            sw_drill_report_count(r, DRILL_FAILED), sw_drill_report_count(r, DRILL_SKIPPED));
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

static void put_json(const char *text, FILE *out)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c == '\n')
            fputs("\\n", out);
        else if (*c < 32 || *c >= 127)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

void sw_drill_report_json(const struct drill_report *r, FILE *out)
{
    static const char *const words[] = {"passed", "failed", "skipped"};

    fprintf(out, "{\"passed\": %zu, \"failed\": %zu, \"skipped\": %zu, \"seconds\": %.6f,\n",
            sw_drill_report_count(r, DRILL_PASSED), sw_drill_report_count(r, DRILL_FAILED),
            sw_drill_report_count(r, DRILL_SKIPPED), (double)r->took / 1e9);
    fprintf(out, " \"scripts\": [");
    for (size_t i = 0; i < r->count; i++) {
        const struct drill_result *result = &r->results[i];

        fprintf(out, "%s\n  {\"path\": ", i ? "," : "");
        put_json(r->paths[i], out);
        fprintf(out, ", \"result\": \"%s\", \"seconds\": %.6f", words[result->verdict],
                (double)result->took / 1e9);
        if (result->verdict != DRILL_PASSED) {
            fprintf(out, ", \"line\": %u, \"message\": ", result->line);
            put_json(result->message, out);
        }
        if (result->detail[0]) {
            fputs(", \"detail\": ", out);
            put_json(result->detail, out);
        }
        fputc('}', out);
    }
    fprintf(out, "\n ]}\n");
}

/* ---- JUnit -------------------------------------------------------------------------------------------- */

static void put_xml(const char *text, FILE *out)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '<')
            fputs("&lt;", out);
        else if (*c == '>')
            fputs("&gt;", out);
        else if (*c == '&')
            fputs("&amp;", out);
        else if (*c == '"')
            fputs("&quot;", out);
        else if (*c == '\n')
            fputs("&#10;", out);
        else if (*c < 32 && *c != '\t')
            fputc('?', out); /* XML 1.0 has no way to say it */
        else
            fputc(*c, out);
    }
}

static void put_case(const struct drill_report *r, size_t i, FILE *out)
{
    const struct drill_result *result = &r->results[i];
    const char *slash = strrchr(r->paths[i], '/');
    char folder[4096];

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - r->paths[i]) : 1,
             slash ? r->paths[i] : ".");
    fputs("  <testcase classname=\"", out);
    put_xml(folder, out);
    fputs("\" name=\"", out);
    put_xml(slash ? slash + 1 : r->paths[i], out);
    fprintf(out, "\" time=\"%.6f\"", (double)result->took / 1e9);
    if (result->verdict == DRILL_PASSED) {
        fputs("/>\n", out);
        return;
    }
    fprintf(out, ">\n    <%s message=\"", result->verdict == DRILL_FAILED ? "failure" : "skipped");
    if (result->line)
        fprintf(out, "line %u: ", result->line);
    put_xml(result->message, out);
    fputs("\">", out);
    put_xml(result->detail, out);
    fprintf(out, "</%s>\n  </testcase>\n", result->verdict == DRILL_FAILED ? "failure" : "skipped");
}

void sw_drill_report_junit(const struct drill_report *r, FILE *out)
{
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    fprintf(out,
            "<testsuite name=\"drill\" tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\" "
            "time=\"%.6f\">\n",
            r->count, sw_drill_report_count(r, DRILL_FAILED),
            sw_drill_report_count(r, DRILL_SKIPPED), (double)r->took / 1e9);
    for (size_t i = 0; i < r->count; i++)
        put_case(r, i, out);
    fprintf(out, "</testsuite>\n");
}
