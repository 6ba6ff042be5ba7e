/*
 * names.c - Errors and reasons as text, from their tables.
 */
#include <sanwo/error.h>
#include <sanwo/reason.h>

#define NAME(name, text) #name,
#define TEXT(name, text) text,

static const char *const error_names[] = {"OK", SANWO_ERRORS(NAME)};
static const char *const error_texts[] = {"no error", SANWO_ERRORS(TEXT)};
static const char *const reason_names[] = {SANWO_REASONS(NAME)};
static const char *const reason_texts[] = {SANWO_REASONS(TEXT)};

/* The code without its sign, or -1 if it is none of ours. */
static int code_of(int error)
{
    if (error <= -SANWO_ERROR_COUNT || error >= SANWO_ERROR_COUNT)
        return -1;
    return error < 0 ? -error : error;
}

const char *sanwo_error_name(int error)
{
    int code = code_of(error);
    return code >= 0 ? error_names[code] : "?";
}

const char *sanwo_error_text(int error)
{
    int code = code_of(error);
    return code >= 0 ? error_texts[code] : "unknown error";
}

const char *sanwo_reason_name(unsigned reason)
{
    return reason < SANWO_REASON_COUNT ? reason_names[reason] : "?";
}

const char *sanwo_reason_text(unsigned reason)
{
    return reason < SANWO_REASON_COUNT ? reason_texts[reason] : "unknown reason";
}
