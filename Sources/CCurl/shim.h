#include <curl/curl.h>

/* Variadic functions, which Swift can't call. */

static inline CURLcode ccurl_setopt_string(CURL *handle, CURLoption option, const char *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_setopt_long(CURL *handle, CURLoption option, long value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_setopt_pointer(CURL *handle, CURLoption option, void *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_setopt_list(CURL *handle, CURLoption option, struct curl_slist *value)
{
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_setopt_read(
    CURL *handle, CURLoption option, size_t (*value)(char *, size_t, size_t, void *))
{
    return curl_easy_setopt(handle, option, value);
}

/* The code of a transfer that is over; a message of another kind has none, and gives CURLE_OK. */
static inline CURLcode ccurl_result(const CURLMsg *message)
{
    return message->msg == CURLMSG_DONE ? message->data.result : CURLE_OK;
}
