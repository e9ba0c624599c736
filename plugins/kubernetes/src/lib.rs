//! Deployments on Kubernetes: apply and wait for the rollout, or go back to an earlier revision. Which cluster it talks
//! to is the installer's word: the slot `cluster` and the configuration `server`.

mod deployment;
mod rollback;
mod manifest;
mod value;
mod rollout;
mod pods;
mod revision;
mod ownership;
mod object;
mod target;
mod api;
mod status;
mod settings;
#[cfg(test)]
mod tests;

use quantum_sdk::plugin;

use deployment::deploy_to_kubernetes;
use rollback::rollback_deployment;
use settings::Settings;

plugin!(deploy_to_kubernetes, rollback_deployment; config = Settings);
