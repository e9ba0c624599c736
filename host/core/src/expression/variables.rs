//! Names that an expression may start from.

/// Depends on where the expression stands.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    known: &'static [&'static str],
    /// The element of a `for_each`.
    element: Option<&'a str>,
}

impl<'a> Variables<'a> {
    /// In a step, and in the output.
    pub const RUNNING: Self = Self { known: &["input", "intent", "steps", "execution"], element: None };
    /// In what undoes a step.
    pub const UNDOING: Self =
        Self { known: &["input", "intent", "steps", "execution", "result"], element: None };
    /// Where nothing has run yet.
    pub const STARTING: Self = Self { known: &["input", "intent"], element: None };

    /// With the element of a `for_each` beside them.
    #[must_use]
    pub const fn with_element(self, name: Option<&'a str>) -> Self {
        Self { element: name, ..self }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().copied().chain(self.element)
    }

    /// Whether this is a name that an element cannot have.
    pub fn is_taken(name: &str) -> bool {
        Self::UNDOING.contains(name) || ["secrets", "config"].contains(&name)
    }
}
