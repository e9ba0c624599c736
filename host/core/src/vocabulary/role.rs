//! What a member of a tenant may be: the roles that the shipped policies know.

super::words!(
    /// Cedar's `Role`: a parent of people and service accounts.
    Role {
        Viewer = "viewer",
        Author = "author",
        Operator = "operator",
        Publisher = "publisher",
        Admin = "admin",
        /// Gives nothing by itself; policies of a tenant ask for it.
        Sre = "sre",
        /// Administers the host, not a tenant.
        PlatformAdmin = "platformAdmin",
    }
);
