//! Tells others what happens: events to webhooks, signed after Standard Webhooks, and text to chats. Where it may send
//! to is the installer's word: the slots `receiver` and `chat`.

mod webhook;
mod signature;
mod chat;
mod destination;
mod message;
mod settings;
#[cfg(test)]
mod tests;

use quantum_sdk::plugin;

use chat::send_chat_message;
use settings::Settings;
use webhook::send_webhook;

plugin!(send_webhook, send_chat_message; config = Settings);
