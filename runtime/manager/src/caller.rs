//! On whose behalf something is done: whose records it may see, whose quota it uses, and which request it belongs to.

/// Who asks for an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The project that what is made belongs to.
    pub project_id: String,
    /// The user who makes it.
    pub user_id: String,
    /// Whether all projects' records are to be seen and changed.
    pub is_admin: bool,
    /// Whether the project's quota binds what is made.
    pub is_counted: bool,
    /// The request's id, kept with what it makes.
    pub request_id: Option<String>,
}

impl Caller {
    /// Whoever may connect to the service's own socket, or runs its binary on its state folder: its administrator.
    pub fn local() -> Self {
        Caller {
            project_id: "admin".into(),
            user_id: "admin".into(),
            is_admin: true,
            is_counted: false,
            request_id: None,
        }
    }

    /// Whether a record of that project exists for this caller.
    pub(crate) fn sees(&self, project: &str) -> bool {
        self.is_admin || self.project_id == project
    }
}
