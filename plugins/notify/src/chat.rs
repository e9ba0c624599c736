//! `send-chat-message`: text to a channel.

use quantum_sdk::prelude::*;

use crate::destination::Destination;
use crate::message;
use crate::settings::{Format, Settings};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendChatMessage {
    /// What is said, in the chat's own markup.
    text: String,
    /// Where it is said, as the chat names channels; by default what the installation's configuration says.
    #[serde(default)]
    channel: Option<String>,
    /// Which chat it is; by default what the installation's configuration says.
    #[serde(default)]
    format: Option<Format>,
}

#[derive(Serialize, JsonSchema)]
pub struct Posted {
    /// What the chat answered: 200 to 299.
    status: u16,
    /// The chat's id of the message, where it tells one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// Posts a message to a chat: Slack, Teams, Discord or Mattermost.
///
/// Through an incoming webhook or the chat's API, as the installation is configured. A message whose answer is lost may
/// be posted twice: chats know no ids of messages to come.
#[action(http = slot("chat"), secrets("CHAT_TOKEN", in = "header,query"))]
pub fn send_chat_message(ctx: &Context, p: SendChatMessage) -> Result<Posted> {
    let settings: Settings = ctx.config()?;
    let Some(format) = p.format.or(settings.chat.format) else { return Err(no_format()) };
    message::check(&p.text, format)?;
    let to = Destination::of(ctx, &settings.chat, format, p.channel)?;
    let mut request = ctx.http().post(to.url.as_str());
    if let Some(authorization) = &to.authorization {
        request = request.header("authorization", authorization.as_str());
    }
    let response = request.json(&message::body(&p.text, format, &to)).send()?;
    let status = response.status();
    ctx.log().info("answered", &[("chat", &format.as_str()), ("status", &status)]);
    let id = message::posted(&response, format, to.door)?;
    Ok(Posted { status, id })
}

fn no_format() -> Failure {
    let message = "nothing says which chat it is: give the step format (slack, teams, discord or mattermost), or set \
                   chat.format in the installation's configuration";
    Failure::permanent("no-chat-format", message)
}
