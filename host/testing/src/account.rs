//! Whom a server runs as: servers refuse to run as root, and tests in containers are root.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const USERS: &str = "/etc/passwd";

/// A user who is not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// None: this process is not root, and its servers run as it does. Otherwise the first of these users that the
    /// machine has.
    pub fn for_root(names: &[&str]) -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string(USERS)?;
        let found = names.iter().find_map(|name| find(&users, name));
        let none = || io::Error::other(format!("{USERS} has none of {}", names.join(", ")));
        found.map(Some).ok_or_else(none)
    }

    /// The command will run as this user, without the groups of root.
    pub fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }
}

fn find(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_named = fields.next() == Some(name);
        let mut numbers = fields.skip(1).map_while(|field| field.parse().ok());
        let account = Account { uid: numbers.next()?, gid: numbers.next()? };
        (is_named && account.uid != 0).then_some(account)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\nnobody:x:65534:65533:nobody:/:/bin/false\n";

    #[test]
    fn users_are_found_by_name_and_root_never_is() {
        assert_eq!(find(USERS, "nobody"), Some(Account { uid: 65534, gid: 65533 }));
        assert_eq!(find(USERS, "nob"), None);
        assert_eq!(find(USERS, "root"), None);
    }
}
