/* Secrets as a driver may use them: by name, never by value. See wit/0.1.0/secrets.wit for what each use promises. */
#include "wasi.h"

/* A source that cannot be read now may come back; all else is for the deployer to mend. */
static cofferdam_error *refused(const char *secret, cofferdam_backup_secrets_secret_error_t *error) {
    const char *text = cofferdam_take(&error->val.unknown);
    switch (error->tag) {
    case COFFERDAM_BACKUP_SECRETS_SECRET_ERROR_UNAVAILABLE:
        return cofferdam_unavailable("the secret %s cannot be read now: %s", secret, text);
    case COFFERDAM_BACKUP_SECRETS_SECRET_ERROR_UNKNOWN: return cofferdam_invalid_configuration(secret, "the host has no such secret");
    case COFFERDAM_BACKUP_SECRETS_SECRET_ERROR_DENIED:
        return cofferdam_invalid_configuration(secret, "this use of the secret is not granted: %s", text);
    default: return cofferdam_invalid_configuration(secret, "the secret cannot be used so: %s", text);
    }
}

static guest_list_u8_t lend(cofferdam_bytes bytes) { return (guest_list_u8_t){(uint8_t *)(uintptr_t)bytes.data, bytes.length}; }

static cofferdam_bytes take(guest_list_u8_t *list) {
    cofferdam_bytes bytes = {(const uint8_t *)cofferdam_text_of(list->ptr, list->len), list->len};
    guest_list_u8_free(list);
    return bytes;
}

cofferdam_error *cofferdam_placeholder(const char *secret, const char *prefix, cofferdam_encoding encoding, const char **text) {
    guest_string_t name = cofferdam_lend(secret), before = cofferdam_lend(prefix), made;
    cofferdam_backup_secrets_secret_error_t error;
    if (!cofferdam_backup_secrets_placeholder(&name, &before, (uint8_t)encoding, &made, &error)) return refused(secret, &error);
    *text = cofferdam_take(&made);
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_sign(const char *secret, cofferdam_algorithm algorithm, cofferdam_bytes prefix, cofferdam_bytes message,
                                cofferdam_bytes *signature) {
    guest_string_t name = cofferdam_lend(secret);
    guest_list_u8_t before = lend(prefix), signed_bytes = lend(message), made;
    cofferdam_backup_secrets_secret_error_t error;
    if (!cofferdam_backup_secrets_sign(&name, (uint8_t)algorithm, &before, &signed_bytes, &made, &error))
        return refused(secret, &error);
    *signature = take(&made);
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_secret_md5(const char *secret, bool decode_base64, cofferdam_bytes *digest) {
    guest_string_t name = cofferdam_lend(secret);
    guest_list_u8_t made;
    cofferdam_backup_secrets_secret_error_t error;
    if (!cofferdam_backup_secrets_md5(&name, decode_base64, &made, &error)) return refused(secret, &error);
    *digest = take(&made);
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_sha256(cofferdam_bytes message, cofferdam_bytes *digest) {
    guest_list_u8_t lent = lend(message), made;
    cofferdam_backup_secrets_secret_error_t error;
    if (!cofferdam_backup_secrets_sha256(&lent, &made, &error)) {
        const char *text = cofferdam_take(&error.val.unknown);
        if (error.tag == COFFERDAM_BACKUP_SECRETS_SECRET_ERROR_UNAVAILABLE)
            return cofferdam_unavailable("a secret cannot be read now: %s", text);
        return cofferdam_failed("the host made no digest: %s", text);
    }
    *digest = take(&made);
    return COFFERDAM_OK;
}

cofferdam_error *cofferdam_reveal(const char *secret, const char **value) {
    guest_string_t name = cofferdam_lend(secret), made;
    cofferdam_backup_secrets_secret_error_t error;
    if (!cofferdam_backup_secrets_reveal(&name, &made, &error)) return refused(secret, &error);
    *value = cofferdam_take(&made);
    return COFFERDAM_OK;
}
