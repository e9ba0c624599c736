//! Writes other than commits of executions: closures over the connection, each in its own savepoint.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::oneshot;

use crate::database::{Conn, is_refusal};
use crate::{Error, Unavailable};

type Outcome<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A write to be done later, on the writer's thread.
pub(crate) trait Write<T>:
    for<'c> FnOnce(&'c mut Conn) -> Outcome<'c, Result<T, Error>> + Send + 'static
{
}

impl<T, F> Write<T> for F where
    F: for<'c> FnOnce(&'c mut Conn) -> Outcome<'c, Result<T, Error>> + Send + 'static
{
}

/// A write with the one who waits for it.
pub(crate) trait Task: Send {
    /// Err: the database cannot write; a refusal is kept for `settle`.
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> Outcome<'a, Result<(), sqlx::Error>>;

    /// The flush succeeded; nobody was told yet.
    fn durable(&mut self);

    /// Tells the one who waits: what `run` gave when the flush succeeded, else that it did not.
    fn settle(self: Box<Self>, flushed: Result<(), Unavailable>);
}

pub(super) struct Job<T, F, D> {
    write: Option<F>,
    durable: Option<D>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F, D> Job<T, F, D> {
    pub const fn new(write: F, durable: D, reply: oneshot::Sender<Result<T, Error>>) -> Self {
        Self { write: Some(write), durable: Some(durable), result: None, reply }
    }
}

impl<T: Send + 'static, F: Write<T>, D: FnOnce(&T) + Send> Task for Job<T, F, D> {
    fn run<'a>(&'a mut self, conn: &'a mut Conn) -> Outcome<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(write) = self.write.take() else { return Ok(()) };
            conn.run("SAVEPOINT task").await?;
            match write(conn).await {
                Err(Error::Query(error)) if !is_refusal(&error) => return Err(error),
                Ok(value) => self.result = Some(Ok(value)),
                Err(refused) => {
                    conn.run("ROLLBACK TO task").await?;
                    self.result = Some(Err(refused));
                }
            }
            conn.run("RELEASE task").await?;
            Ok(())
        })
    }

    fn durable(&mut self) {
        if let (Some(durable), Some(Ok(value))) = (self.durable.take(), &self.result) {
            durable(value);
        }
    }

    fn settle(self: Box<Self>, flushed: Result<(), Unavailable>) {
        let answer = match (flushed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(super::stopped().into()),
            (Err(unavailable), _) => Err(unavailable.into()),
        };
        // Nobody waits any more: the write stands all the same.
        drop(self.reply.send(answer));
    }
}
