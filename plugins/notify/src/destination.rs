//! Where a chat message is posted, and how the chat knows who posts. An incoming webhook has its secret in its URL; an
//! API has a token, which the host puts in: into the query or into a header, as a path is no place for a secret.

use quantum_sdk::prelude::*;

use crate::settings::{Auth, Chat, Format};

/// In a URL: the channel.
const CHANNEL: &str = "{channel}";
/// In the query of a URL: the secret.
const TOKEN: &str = "{token}";
const SLACK_API: &str = "https://slack.com/api/chat.postMessage";
const DISCORD_API: &str = "https://discord.com/api/v10/channels/{channel}/messages";

/// Who takes the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An incoming webhook.
    Webhook,
    /// The chat's API, with a bot's token.
    Api,
}

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Destination {
    pub url: String,
    /// With a placeholder in place of the token.
    pub authorization: Option<String>,
    pub door: Door,
    /// None: it is in the URL, or the chat knows it.
    pub channel: Option<String>,
}

impl Destination {
    /// Err: permanent, with what is missing or cannot be: `no-chat-url`, `no-channel`, `invalid-config`,
    /// `invalid-parameters`, or of the secret.
    pub fn of(ctx: &Context, chat: &Chat, format: Format, channel: Option<String>) -> Result<Self> {
        let url = template(chat, format)?;
        let in_query = token_in_query(&url, chat.auth)?;
        let door = match chat.auth {
            Auth::Token if !in_query && format != Format::Teams => Door::Api,
            _ => Door::Webhook,
        };
        let (url, channel) = with_channel(url, channel.or_else(|| chat.channel.clone()), (format, door))?;
        let (url, authorization) = match chat.auth {
            Auth::None => (url, None),
            Auth::Token => {
                let token = ctx.secret("CHAT_TOKEN")?;
                if in_query {
                    (url.replace(TOKEN, token.placeholder()), None)
                } else {
                    let scheme = if format == Format::Discord { "Bot" } else { "Bearer" };
                    (url, Some(format!("{scheme} {token}")))
                }
            }
        };
        Ok(Self { url, authorization, door, channel })
    }
}

fn template(chat: &Chat, format: Format) -> Result<String> {
    let known = match (chat.auth, format) {
        (Auth::Token, Format::Slack) => Some(SLACK_API),
        (Auth::Token, Format::Discord) => Some(DISCORD_API),
        _ => None,
    };
    if let Some(url) = chat.url.as_deref().or(known) {
        return Ok(url.to_owned());
    }
    let message = format!(
        "nothing says where {} takes messages: set chat.url in the installation's configuration",
        format.as_str()
    );
    Err(Failure::permanent("no-chat-url", message))
}

fn token_in_query(url: &str, auth: Auth) -> Result<bool> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if path.contains(TOKEN) {
        return Err(invalid_config(
            "has {token} before the query, where no secret can be put in: write the whole webhook's URL with auth \
             \"none\", or use the chat's API with a bot's token",
        ));
    }
    let found = query.contains(TOKEN);
    if found && auth == Auth::None {
        return Err(invalid_config("has {token}, and auth is \"none\": set auth to \"token\""));
    }
    Ok(found)
}

fn with_channel(
    url: String,
    channel: Option<String>,
    (format, door): (Format, Door),
) -> Result<(String, Option<String>)> {
    let channel = channel.filter(|channel| !channel.is_empty());
    let in_url = url.contains(CHANNEL);
    let Some(channel) = channel else {
        let needed = in_url || (door == Door::Api && format != Format::Discord);
        return if needed { Err(no_channel(format)) } else { Ok((url, None)) };
    };
    if in_url {
        return Ok((url.replace(CHANNEL, &encode(&channel)), None));
    }
    if matches!(format, Format::Slack | Format::Mattermost) {
        return Ok((url, Some(channel)));
    }
    let message = format!(
        "channel: the configured URL of {} has its channel in itself: leave \"{channel}\" out, here and in the \
         installation's configuration, or configure a URL with {{channel}}",
        format.as_str()
    );
    Err(Failure::permanent("invalid-parameters", message))
}

fn no_channel(format: Format) -> Failure {
    let message = format!(
        "{} needs a channel: give the step one, or set chat.channel in the installation's configuration",
        format.as_str()
    );
    Failure::permanent("no-channel", message)
}

fn invalid_config(reason: &str) -> Failure {
    let message = format!("the installation's configuration does not fit: chat.url: it {reason}");
    Failure::permanent("invalid-config", message)
}

/// Percent-encodes a part of a path.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
