//! DescribeCluster (key 60), versions 0-2.
//!
//! Who is in the cluster, for tools; clients that read and write ask Metadata (KIP-700). This endpoint is one of brokers:
//! who asks for controllers is told that it is the wrong one.
//!
//! v1 the type of the endpoint (KIP-919), v2 fenced brokers, if asked for (KIP-1073); none is fenced here.

use thalweg_messages::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use thalweg_wire::{BrokerId, ErrorCode};

use super::metadata::{CLUSTER_OPERATIONS, NO_OPERATIONS};
use super::{Api, Head};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(60, 0..=2);

/// Endpoints are of brokers, ...
const BROKERS: i8 = 1;
/// ... or of controllers.
const CONTROLLERS: i8 = 2;

/// Answers.
pub fn handle(shared: &Shared, head: &Head, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            let message =
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
            return refused(ErrorCode::MismatchedEndpointType, message.to_owned());
        }
        other => return refused(ErrorCode::UnsupportedEndpointType, format!("Unsupported endpoint type {other}")),
    }
    let broker = DescribeClusterBroker {
        broker_id: shared.settings.node,
        host: head.advertised.host.clone(),
        port: i32::from(head.advertised.port),
        rack: shared.settings.rack.clone(),
        ..DescribeClusterBroker::default()
    };
    let wants_operations = request.include_cluster_authorized_operations;
    DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: shared.cluster.cluster_id().to_owned(),
        controller_id: shared.settings.node,
        brokers: vec![broker],
        cluster_authorized_operations: if wants_operations { CLUSTER_OPERATIONS } else { NO_OPERATIONS },
        ..DescribeClusterResponse::default()
    }
}

fn refused(code: ErrorCode, message: String) -> DescribeClusterResponse {
    DescribeClusterResponse {
        error_code: code.code(),
        error_message: Some(message),
        endpoint_type: BROKERS,
        controller_id: BrokerId::NONE,
        cluster_authorized_operations: NO_OPERATIONS,
        ..DescribeClusterResponse::default()
    }
}
