//! The closed sets of words that documents, events, policies and answers share.

mod auth_method;
mod capability;
mod environment;
mod operation;
mod overlap;
mod role;
mod status;

pub use auth_method::AuthMethod;
pub use capability::{AddressClass, Capability, Signature, Trust};
pub use environment::Environment;
pub use operation::{Group, Operation};
pub use overlap::Overlap;
pub use role::Role;
pub use status::{ExecutionStatus, IntentStatus, StepStatus, VersionStatus};

/// Defines a closed set whose words are the same in JSON, in text and in Cedar.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
use words;
