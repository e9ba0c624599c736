//! Both actions against a scripted cluster that answers as the API documents it.

mod cluster;
mod deploying;
mod waiting;
mod refusals;
mod rolling_back;
