/*
 * sanwo/http.h - HTTP/1.1 over the stack's connections: a server of a folder, and a client.
 *
 * Both are driven by the stack's events and by time, and never block but on the disk:
 *
 *     event of the stack ---> sanwo_http_server_event()    true: it was the server's
 *     after each event   ---> sanwo_http_server_deadline() when to call tick
 *     at that time       ---> sanwo_http_server_tick()
 *
 * Parsing is llhttp's. Server: RFC 9110, 9112; files go from the disk straight into the send queue.
 * This library allocates with malloc and makes system calls. One thread at a time, the stack's.
 */
#ifndef SANWO_HTTP_H
#define SANWO_HTTP_H

#include <sanwo/sanwo.h>

SANWO_BEGIN

/* ---- server ---------------------------------------------------------------------------------- */

struct sanwo_http_server;

/** What happened to one request, told when its response was handed to TCP or given up. */
struct sanwo_http_access {
    sanwo_time now;
    sanwo_time duration; /* since the first byte of the request */
    struct sanwo_endpoint remote;
    const char *method;  /* "-" if none could be read */
    const char *target;  /* as it was sent, cut if long; "-" if none could be read */
    unsigned status;     /* of the response */
    uint64_t body_bytes; /* of the body, handed to TCP */
    const char *trouble; /* NULL: complete; else why it is not */
};

struct sanwo_http_server_config {
    int folder; /* descriptor of the folder, duplicated; -1: open `path` */
    const char *path;
    const char *index; /* served for a folder; default "index.html" */
    bool listing;      /* a folder without index gets a page of links, else 403; default true */
    struct sanwo_endpoint
        local;          /* where to listen; family NONE: all our addresses; default port 80 */
    uint32_t backlog;   /* default 1024 */
    uint32_t fast_open; /* sanwo_tcp_listen's: requests that come with a SYN; default 0: none */
    const struct sanwo_tcp_config *tcp; /* NULL: the stack's; used at creation only */
    uint32_t max_connections;           /* more wait in the backlog; default 4096 */
    uint32_t max_requests;              /* on one connection; default 100000 */
    uint32_t max_head;          /* bytes of request line and fields, else 431; default 16 KiB */
    uint32_t max_target;        /* bytes of the request target, else 414; default 8 KiB */
    uint32_t max_body;          /* bytes of a request's body, else 413; default 64 KiB */
    sanwo_time request_timeout; /* for a whole request to come, else 408; default 10 s */
    sanwo_time idle_timeout;    /* between requests; default 60 s */
    sanwo_time
        stall_timeout; /* a peer that takes less than 16 KiB in this time is reset; default 180 s */
    sanwo_time linger_timeout; /* for the peer to close after we did; default 5 s */
    void (*log)(void *context, const struct sanwo_http_access *what); /* NULL: no log */
    void *log_context;
    int64_t (*clock)(void *context); /* seconds since 1970 for dates; NULL: the system's clock */
    void *clock_context;
};

SANWO_API void sanwo_http_server_config_default(struct sanwo_http_server_config *config);

/**
 * Opens the folder and listens on @stack. -errno for the folder (ENOENT, ENOTDIR, EACCES...) is
 * told apart from -SANWO_E... of listening by *@folder_failed, which may be NULL. ENOMEM.
 */
SANWO_API int sanwo_http_server_create(const struct sanwo_http_server_config *config,
                                       struct sanwo_stack *stack, sanwo_time now,
                                       struct sanwo_http_server **out, bool *folder_failed);
/** Resets what is left of its connections, stops listening and frees it. NULL is nothing. */
SANWO_API void sanwo_http_server_destroy(struct sanwo_http_server *server, sanwo_time now);

/** Handles an event of the stack. False: the event belongs to someone else. */
SANWO_API bool sanwo_http_server_event(struct sanwo_http_server *server,
                                       const struct sanwo_event *event, sanwo_time now);
/** When to call sanwo_http_server_tick() if nothing else happens; SANWO_TIME_NEVER: not. */
SANWO_API sanwo_time sanwo_http_server_deadline(const struct sanwo_http_server *server);
/** Does what is due; calling it early is harmless. */
SANWO_API void sanwo_http_server_tick(struct sanwo_http_server *server, sanwo_time now);

/**
 * No new connections; idle ones are closed, responses in flight are finished and followed by the
 * close. sanwo_http_server_is_idle() tells when all is done.
 */
SANWO_API void sanwo_http_server_stop(struct sanwo_http_server *server, sanwo_time now);
/** No connection is open. */
SANWO_API bool sanwo_http_server_is_idle(const struct sanwo_http_server *server);

struct sanwo_http_server_stats {
    uint32_t connections; /* open now */
    uint64_t accepted;
    uint64_t requests;
    uint64_t errors;  /* responses of 400 and above */
    uint64_t aborted; /* responses not finished: reset, stall, file changed */
    uint64_t body_bytes;
};

SANWO_API void sanwo_http_server_stats(const struct sanwo_http_server *server,
                                       struct sanwo_http_server_stats *out);

/* ---- client ---------------------------------------------------------------------------------- */

struct sanwo_http_client;

/** Why a request failed, in kinds that a user acts differently on. */
#define SANWO_HTTP_FAILURES(X)                                                                     \
    X(NONE, "no failure")                                                                          \
    X(URL, "the URL cannot be used")                                                               \
    X(RESOLVE, "the name has no address")                                                          \
    X(CONNECT, "refused or unreachable")                                                           \
    X(TIMEOUT, "took too long")                                                                    \
    X(RESET, "the connection was lost")                                                            \
    X(PROTOCOL, "the server broke the protocol")                                                   \
    X(TRUNCATED, "the connection ended before the body did")                                       \
    X(REDIRECTS, "too many redirects, or one that cannot be followed")                             \
    X(CONSUMER, "the receiver of the body did not take it")                                        \
    X(MEMORY, "out of memory")

enum sanwo_http_failure {
#define SANWO_HTTP_FAILURE_ENUM(name, text) SANWO_HTTP_##name,
    SANWO_HTTP_FAILURES(SANWO_HTTP_FAILURE_ENUM)
#undef SANWO_HTTP_FAILURE_ENUM
        SANWO_HTTP_FAILURE_COUNT
};

/** "TRUNCATED". Static storage; never NULL. */
SANWO_API const char *sanwo_http_failure_name(enum sanwo_http_failure failure);

struct sanwo_http_request {
    const char *url;            /* "http://host:port/path?query" */
    bool head;                  /* HEAD instead of GET */
    const char *const *headers; /* more fields, "Name: value" each, then NULL; or NULL */
    uint64_t resume_from;       /* not 0: only the bytes from here on are wanted */
};

/** The head of the final response (not of redirects and 1xx). Valid during the callback. */
struct sanwo_http_head {
    unsigned status;
    const char *url;        /* where it came from, after redirects */
    int64_t content_length; /* of this response's body; -1: not known beforehand */
    uint64_t offset;        /* of the body's first byte in the whole; 0 but for 206 */
    int64_t total;          /* bytes of the whole; -1: not known */
    const char *fields;     /* status line and fields as received, one a line */
};

struct sanwo_http_result {
    bool done; /* else the rest is not final */
    enum sanwo_http_failure failure;
    int error;         /* SANWO_E... behind it, or 0 */
    char message[256]; /* one sentence, "" without failure */
    unsigned status;   /* of the final response; 0: none came */
    unsigned redirects;
    uint64_t body_bytes;          /* of the final response, received */
    int64_t content_length;       /* as announced; -1: was not */
    bool already_complete;        /* resume: 416 said that nothing is missing */
    struct sanwo_endpoint remote; /* the last server */
    sanwo_time started, connected, first_byte, finished; /* 0: did not come to that */
};

struct sanwo_http_client_config {
    struct sanwo_stack *stack;
    const char *user_agent;     /* default "sanwo" */
    unsigned max_redirects;     /* default 10 */
    uint32_t max_head;          /* bytes of a response's head; default 64 KiB */
    sanwo_time connect_timeout; /* for each address; default 30 s */
    sanwo_time
        stall_timeout; /* without a byte from the server; default 180 s: over a minute's outage and the back-off after it */
    sanwo_time total_timeout; /* 0: none; default 0 */
    /** Puts up to @max addresses of @host into @out, best first. Returns how many; 0: none. */
    int (*resolve)(void *context, const char *host, struct sanwo_address *out, int max);
    /** The final response begins. False gives up (CONSUMER). May be NULL. */
    bool (*on_head)(void *context, const struct sanwo_http_head *head);
    /** Bytes of its body, in order. False gives up (CONSUMER). May be NULL. */
    bool (*on_body)(void *context, const void *bytes, size_t length);
    /** It is over, once for each start; another may be started from inside. May be NULL. */
    void (*on_done)(void *context, const struct sanwo_http_result *result);
    /** What passes, a line at a time: '>' sent, '<' received, '*' a remark. May be NULL. */
    void (*on_line)(void *context, char kind, const char *line);
    void *context;
};

SANWO_API void sanwo_http_client_config_default(struct sanwo_http_client_config *config);
/** Strings of @config must outlive the client. EINVAL, ENOMEM. */
SANWO_API int sanwo_http_client_create(const struct sanwo_http_client_config *config,
                                       struct sanwo_http_client **out);
/** Resets the connection if one is open. NULL is nothing. */
SANWO_API void sanwo_http_client_destroy(struct sanwo_http_client *client, sanwo_time now);

/**
 * Begins; @request and what it points to must stay until it is done. Failures, also those found at
 * once, are reported by on_done and in the result. EISCONN: the last one is not done.
 */
SANWO_API int sanwo_http_client_start(struct sanwo_http_client *client,
                                      const struct sanwo_http_request *request, sanwo_time now);
/** As for the server. */
SANWO_API bool sanwo_http_client_event(struct sanwo_http_client *client,
                                       const struct sanwo_event *event, sanwo_time now);
SANWO_API sanwo_time sanwo_http_client_deadline(const struct sanwo_http_client *client);
SANWO_API void sanwo_http_client_tick(struct sanwo_http_client *client, sanwo_time now);
SANWO_API const struct sanwo_http_result *sanwo_http_client_result(
    const struct sanwo_http_client *client);

SANWO_END
#endif
