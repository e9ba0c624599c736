//! What a plugin may be allowed, who made it, and what kind of address a request goes to.

super::words!(
    /// Cedar's `Capability`.
    Capability {
        Http = "http",
        Kv = "kv",
        Artifacts = "artifacts",
        SecretsUse = "secrets.use",
        SecretsReveal = "secrets.reveal",
        Clock = "clock",
        Random = "random",
    }
);

super::words!(
    /// How far a publisher is trusted.
    Trust { Untrusted = "untrusted", Community = "community", Verified = "verified", Builtin = "builtin" }
);

super::words!(
    /// What the check of a plugin's signature gave.
    Signature { None = "none", Invalid = "invalid", UnknownKey = "unknownKey", Verified = "verified" }
);

super::words!(
    /// Computed by the host after resolution, with the operator's named ranges applied.
    AddressClass {
        Public = "public",
        OperatorAllowed = "operatorAllowed",
        Private = "private",
        Loopback = "loopback",
        LinkLocal = "linkLocal",
        Metadata = "metadata",
        Multicast = "multicast",
    }
);
