//! What an installer fills in beside "install it": configuration, secrets, endpoints and defaults, for all environments
//! or for one.

mod defaults;
mod endpoint;
mod settings;
mod table;

pub use defaults::ParameterDefaults;
pub(crate) use defaults::fill;
pub use endpoint::Endpoint;
pub use settings::Settings;
pub use table::SettingsTable;
