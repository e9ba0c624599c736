//! Secrets that are not this plugin's, and one that is, sent where it must not go.

use quantum_sdk::prelude::*;

use crate::{Nothing, Target};

/// Asks for a secret that the manifest does not name.
#[action]
pub fn forbidden_secret(ctx: &Context, _: Nothing) -> Result<String> {
    Ok(ctx.secret("PASSWORD")?.bearer())
}

/// Sends its secret to whom it is told to.
#[action(http = slot("targets"), secrets("TOKEN"))]
pub fn smuggle(ctx: &Context, p: Target) -> Result<()> {
    let token = ctx.secret("TOKEN")?.bearer();
    ctx.http().get(&p.url).header("authorization", token).send()?;
    Ok(())
}

/// Writes its secret into the path, where servers log it.
#[action(http = slot("targets"), secrets("TOKEN"))]
pub fn smuggle_in_path(ctx: &Context, p: Target) -> Result<()> {
    let token = ctx.secret("TOKEN")?;
    ctx.http().get(format!("{}/{}", p.url, token.placeholder())).send()?;
    Ok(())
}

/// Has a server say its secret back, and gives it on as its result and in the log.
#[action(http = slot("targets"), secrets("TOKEN"))]
pub fn leak(ctx: &Context, p: Target) -> Result<String> {
    let token = ctx.secret("TOKEN")?.bearer();
    let answer = ctx.http().get(&p.url).header("authorization", token).send()?;
    let said = String::from_utf8_lossy(answer.bytes()).into_owned();
    ctx.log().info(&said, &[]);
    Ok(said)
}
