//! How a caller proved who it is.

super::words!(
    /// Cedar's `AuthMethod`.
    AuthMethod {
        Jwt = "jwt",
        ApiKey = "apiKey",
        Mtls = "mtls",
        /// A token that this host made itself, for somebody on its machine.
        Local = "local",
        Scheduler = "scheduler",
    }
);
