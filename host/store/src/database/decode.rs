//! Reads a row column by column, in the order of the SELECT. The first column of a tenant table is `tenant_id`, and
//! it is compared with the scope in release builds too.

use quantum_core::id::TenantId;
use quantum_core::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Row;
use crate::Error;
use crate::scope::TenantScope;
use crate::stats::{Counters, count};

pub(crate) struct Columns<'r> {
    row: &'r Row,
    table: &'static str,
    next: usize,
}

impl<'r> Columns<'r> {
    /// A row that any tenant may own; the caller is the platform.
    pub const fn new(row: &'r Row, table: &'static str) -> Self {
        Self { row, table, next: 0 }
    }

    /// A row of the scope's tenant; that of another one is an error and counted.
    pub fn scoped(
        row: &'r Row,
        table: &'static str,
        scope: &TenantScope,
        counters: &Counters,
    ) -> Result<Self, Error> {
        Self::of_tenant(row, table, scope.tenant(), counters)
    }

    /// As `scoped`, for the platform's questions about one tenant.
    pub fn of_tenant(
        row: &'r Row,
        table: &'static str,
        tenant: &TenantId,
        counters: &Counters,
    ) -> Result<Self, Error> {
        if row.text(0)? == tenant.as_str() {
            return Ok(Self::new(row, table));
        }
        count(&counters.foreign_rows, 1);
        tracing::error!(table, "a row of another tenant was read and withheld");
        Err(Error::ForeignRow { table })
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub fn text(&mut self) -> Result<&'r str, Error> {
        let at = self.advance();
        Ok(self.row.text(at)?)
    }

    pub fn owned(&mut self) -> Result<String, Error> {
        self.text().map(str::to_owned)
    }

    pub fn text_or_null(&mut self) -> Result<Option<&'r str>, Error> {
        let at = self.advance();
        Ok(self.row.text_or_null(at)?)
    }

    pub fn bytes(&mut self) -> Result<&'r [u8], Error> {
        let at = self.advance();
        Ok(self.row.bytes(at)?)
    }

    pub fn int_or_null(&mut self) -> Result<Option<i64>, Error> {
        let at = self.advance();
        Ok(self.row.int_or_null(at)?)
    }

    pub fn int(&mut self) -> Result<i64, Error> {
        let at = self.advance();
        Ok(self.row.int(at)?)
    }

    /// A number in the range of the wanted type.
    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Error> {
        let value = self.int()?;
        T::try_from(value).map_err(|_| self.corrupt(format!("{value} is out of range")))
    }

    pub fn number_or_null<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Error> {
        let Some(value) = self.int_or_null()? else { return Ok(None) };
        T::try_from(value).map(Some).map_err(|_| self.corrupt(format!("{value} is out of range")))
    }

    pub fn flag(&mut self) -> Result<bool, Error> {
        let at = self.advance();
        Ok(self.row.flag(at)?)
    }

    pub fn time(&mut self) -> Result<Timestamp, Error> {
        self.int().map(Timestamp::from_millis)
    }

    pub fn time_or_null(&mut self) -> Result<Option<Timestamp>, Error> {
        Ok(self.int_or_null()?.map(Timestamp::from_millis))
    }

    pub fn tenant(&mut self) -> Result<TenantId, Error> {
        self.parsed()
    }

    /// An id, which checks itself.
    pub fn parsed<T>(&mut self) -> Result<T, Error>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text()?.parse().map_err(|error: T::Err| self.corrupt(error.to_string()))
    }

    /// A word of a closed set.
    pub fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let text = self.text()?;
        parse(text).ok_or_else(|| self.corrupt(format!("\"{text}\" is not a known word")))
    }

    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_json::from_str(self.text()?).map_err(|error| self.corrupt(error.to_string()))
    }

    /// As `json`, for values that point into the row's text.
    pub fn borrowed_json<T: Deserialize<'r>>(&mut self) -> Result<T, Error> {
        serde_json::from_str(self.text()?).map_err(|error| self.corrupt(error.to_string()))
    }

    pub const fn corrupt(&self, detail: String) -> Error {
        Error::Corrupt { what: self.table, detail }
    }
}
