//! What an installation may say: whether webhooks are signed, and which chat is told.

use quantum_sdk::prelude::*;

/// The installation's configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether webhooks are signed with the secret `WEBHOOK_SECRET`.
    pub sign: bool,
    /// The chat that messages go to.
    pub chat: Chat,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sign: true, chat: Chat::default() }
    }
}

/// The chat that messages go to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Chat {
    /// Where messages are posted. `{channel}` stands for the channel, and `{token}` in the query for the secret
    /// `CHAT_TOKEN`. With a token it may be left out for Slack and Discord: their APIs are known.
    pub url: Option<String>,
    /// How messages are written, when the step says nothing.
    pub format: Option<Format>,
    /// How the chat knows who posts.
    pub auth: Auth,
    /// The channel, when the step says nothing.
    pub channel: Option<String>,
}

/// How a chat wants its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Slack,
    Teams,
    Discord,
    Mattermost,
}

impl Format {
    /// As it is written in a document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Discord => "discord",
            Self::Mattermost => "mattermost",
        }
    }
}

/// How the chat knows who posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// By the URL alone: an incoming webhook.
    #[default]
    None,
    /// By the secret `CHAT_TOKEN`: in the URL's query where `{token}` stands, else in the header `authorization`.
    Token,
}
