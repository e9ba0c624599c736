//! The routes, one file a resource. Every handler authenticates first and authorizes before it shows or changes
//! anything; its name is the operation's id in the OpenAPI document.

mod artifacts;
mod batch;
mod blueprints;
mod bulk;
mod changes;
mod document;
mod errors;
mod events;
mod execute;
mod executions;
mod installations;
mod intents;
mod logs;
mod nodes;
mod operate;
mod plans;
mod plugins;
mod recordings;
mod schedule_changes;
mod schedules;
mod secrets;
mod settings;
mod status;
mod tenants;
mod usage;
mod users;
mod versions;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;
pub(crate) use intents::read_label;

/// Under `/api/v1`.
pub(crate) const BASE: &str = "/api/v1";

/// All of them, with their part of the document.
pub(crate) fn all() -> OpenApiRouter<Api> {
    let api = OpenApiRouter::new()
        .routes(routes!(intents::create_intent, intents::list_intents))
        .routes(routes!(
            intents::get_intent,
            changes::replace_intent,
            changes::update_intent,
            changes::delete_intent
        ))
        .routes(routes!(versions::list_intent_versions))
        .routes(routes!(versions::activate_intent_version))
        .routes(routes!(versions::rollback_intent))
        .routes(routes!(versions::diff_intent))
        .routes(routes!(status::pause_intent))
        .routes(routes!(status::resume_intent))
        .routes(routes!(status::archive_intent))
        .routes(routes!(plans::validate_intent))
        .routes(routes!(plans::plan_intent))
        .routes(routes!(execute::execute_intent))
        .routes(routes!(blueprints::list_blueprints))
        .routes(routes!(blueprints::get_blueprint, blueprints::put_blueprint, blueprints::delete_blueprint))
        .routes(routes!(executions::list_executions))
        .routes(routes!(batch::start_executions))
        .routes(routes!(bulk::change_executions))
        .routes(routes!(executions::get_execution))
        .routes(routes!(operate::cancel_execution))
        .routes(routes!(operate::pause_execution))
        .routes(routes!(operate::resume_execution))
        .routes(routes!(operate::signal_execution))
        .routes(routes!(operate::approve_execution))
        .routes(routes!(operate::restart_execution))
        .routes(routes!(operate::replay_execution))
        .routes(routes!(operate::get_execution_step))
        .routes(routes!(recordings::get_recording))
        .routes(routes!(events::stream_execution_events))
        .routes(routes!(logs::list_execution_logs))
        .routes(routes!(nodes::list_nodes))
        .routes(routes!(tenants::list_tenants, tenants::create_tenant))
        .routes(routes!(settings::get_settings, settings::replace_settings, settings::update_settings))
        .routes(routes!(usage::list_usage))
        .routes(routes!(usage::list_usage_of_tenants))
        .routes(routes!(users::list_users))
        .routes(routes!(users::get_user, users::put_user))
        .routes(routes!(plugins::list_plugins))
        .routes(routes!(installations::list_installations, installations::install_plugin))
        .routes(routes!(
            installations::get_installation,
            installations::configure_plugin,
            installations::uninstall_plugin
        ))
        .routes(routes!(artifacts::list_artifacts, artifacts::put_artifact))
        .routes(routes!(artifacts::get_artifact, artifacts::delete_artifact))
        .routes(routes!(secrets::list_secrets))
        .routes(routes!(secrets::put_secret, secrets::delete_secret))
        .routes(routes!(schedules::create_schedule, schedules::list_schedules))
        .routes(routes!(
            schedules::get_schedule,
            schedule_changes::replace_schedule,
            schedule_changes::delete_schedule
        ))
        .routes(routes!(schedules::list_schedule_times))
        .routes(routes!(schedule_changes::pause_schedule))
        .routes(routes!(schedule_changes::resume_schedule))
        .routes(routes!(document::get_document));
    OpenApiRouter::new().nest(BASE, api).route("/errors/{code}", get(errors::get_error))
}
