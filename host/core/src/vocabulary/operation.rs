//! Business operations: what a person, a service account or a step asks to do. The words are Cedar's actions.

super::words!(
    /// Groups of operations that roles are given.
    Group {
        Read = "read",
        Author = "author",
        Operate = "operate",
        Publish = "publish",
        Administer = "administer",
        Runtime = "runtime",
        Platform = "platform",
    }
);

super::words!(
    /// The operations that this host decides today. The Cedar schema names more; each one gets a variant with the
    /// first route or effect that asks for it.
    Operation {
        TenantView = "tenant.view",
        TenantConfigure = "tenant.configure",
        UsageView = "usage.view",
        MemberManage = "member.manage",
        IntentList = "intent.list",
        IntentView = "intent.view",
        IntentPlan = "intent.plan",
        IntentCreate = "intent.create",
        IntentUpdate = "intent.update",
        IntentActivate = "intent.activate",
        IntentPause = "intent.pause",
        IntentArchive = "intent.archive",
        IntentExecute = "intent.execute",
        IntentSchedule = "intent.schedule",
        ScheduleList = "schedule.list",
        ExecutionList = "execution.list",
        ExecutionView = "execution.view",
        ExecutionCancel = "execution.cancel",
        ExecutionPause = "execution.pause",
        ExecutionResume = "execution.resume",
        ExecutionSignal = "execution.signal",
        ExecutionApprove = "execution.approve",
        ExecutionRestart = "execution.restart",
        ExecutionReplay = "execution.replay",
        ExecutionRecording = "execution.recording",
        PluginList = "plugin.list",
        PluginInstall = "plugin.install",
        PluginUninstall = "plugin.uninstall",
        BlueprintView = "blueprint.view",
        BlueprintWrite = "blueprint.write",
        ArtifactView = "artifact.view",
        ArtifactWrite = "artifact.write",
        SecretList = "secret.list",
        SecretWrite = "secret.write",
        SecretDelete = "secret.delete",
        StepStart = "step.start",
        HttpRequest = "http.request",
        SecretUse = "secret.use",
        SecretReveal = "secret.reveal",
        PlatformTenants = "platform.tenants",
    }
);

impl Operation {
    /// The group that the Cedar schema puts it in; a test of `policy` holds the two together.
    pub const fn group(self) -> Group {
        match self {
            Self::TenantView | Self::IntentList | Self::IntentView | Self::IntentPlan => Group::Read,
            Self::ExecutionList | Self::ExecutionView | Self::PluginList => Group::Read,
            Self::ArtifactView | Self::SecretList | Self::ScheduleList => Group::Read,
            Self::BlueprintView | Self::UsageView => Group::Read,
            Self::BlueprintWrite => Group::Author,
            Self::IntentCreate | Self::IntentUpdate | Self::IntentActivate => Group::Author,
            Self::IntentPause | Self::IntentArchive | Self::ArtifactWrite => Group::Author,
            Self::IntentExecute | Self::ExecutionRestart | Self::ExecutionReplay => Group::Operate,
            Self::ExecutionCancel | Self::ExecutionPause | Self::ExecutionResume => Group::Operate,
            Self::ExecutionRecording => Group::Operate,
            Self::ExecutionSignal | Self::ExecutionApprove | Self::IntentSchedule => Group::Operate,
            Self::TenantConfigure | Self::MemberManage => Group::Administer,
            Self::PluginInstall | Self::PluginUninstall => Group::Administer,
            Self::SecretWrite | Self::SecretDelete => Group::Administer,
            Self::StepStart | Self::HttpRequest | Self::SecretUse | Self::SecretReveal => Group::Runtime,
            Self::PlatformTenants => Group::Platform,
        }
    }
}
