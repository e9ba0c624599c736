//! Where a request goes: resources by their paths.

/// A Deployment by its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub namespace: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Deployments(String),
    Deployment(Target),
    ReplicaSets(String),
    Pods(String),
}

/// None: there is no such resource here.
pub fn parse(segments: &[&str]) -> Option<Place> {
    let owned = |text: &str| text.to_owned();
    Some(match segments {
        ["apis", "apps", "v1", "namespaces", namespace, "deployments"] => {
            Place::Deployments(owned(namespace))
        }
        ["apis", "apps", "v1", "namespaces", namespace, "deployments", name] => {
            Place::Deployment(Target { namespace: owned(namespace), name: owned(name) })
        }
        ["apis", "apps", "v1", "namespaces", namespace, "replicasets"] => {
            Place::ReplicaSets(owned(namespace))
        }
        ["api", "v1", "namespaces", namespace, "pods"] => Place::Pods(owned(namespace)),
        _ => return None,
    })
}

impl Place {
    pub fn namespace(&self) -> &str {
        match self {
            Self::Deployments(namespace) | Self::ReplicaSets(namespace) | Self::Pods(namespace) => namespace,
            Self::Deployment(target) => &target.namespace,
        }
    }

    pub fn name(&self) -> &str {
        if let Self::Deployment(target) = self { &target.name } else { "" }
    }

    /// The resource and its group.
    pub const fn resource(&self) -> (&'static str, &'static str) {
        match self {
            Self::Deployments(_) | Self::Deployment(_) => ("deployments", "apps"),
            Self::ReplicaSets(_) => ("replicasets", "apps"),
            Self::Pods(_) => ("pods", ""),
        }
    }
}
