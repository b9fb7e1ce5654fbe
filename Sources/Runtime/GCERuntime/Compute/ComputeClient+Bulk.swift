import DisbatchCore
import GoogleAPI

/// Several instances in one request.
extension ComputeClient {
    /// Asks for several instances at once, of which as many are made as there is room for.
    ///
    /// The operation may succeed where some were not made, and fail where some were: which are there tells
    /// ``instances(labels:zone:)``, and why the others are not ``failures(of:)``. Until it has ended, an instance that
    /// is not there may yet come.
    /// - Parameters:
    ///   - body: of ``InstanceRequest/bulkBody(names:zone:model:)``.
    ///   - count: how many those are.
    func bulkInsert(
        _ body: JSONValue, count: Int, zone: String, requestID: RequestID = RequestID()
    ) throws(CloudError) -> CloudOperation {
        let action = "make \(count) instances in \(zone)"
        var call = Call(method: "POST", path: "zones/\(zone)/instances/bulkInsert")
        call.query = [("requestId", requestID.text)]
        call.body = body.text()
        call.timeLimit = .seconds(120)
        return try CloudOperation(perform(call, action), zone: zone, action)
    }

    /// Why instances were not made that an operation of ``bulkInsert(_:count:zone:requestID:)`` tried to make, by their
    /// names.
    func failures(of operation: CloudOperation) throws(CloudError) -> [String: CloudError] {
        guard let group = operation.group else { return [:] }
        let zone = operation.zone
        var call = Call(path: "zones/\(zone)/operations")
        call.query = [("filter", "operationGroupId=\"\(group)\"")]
        var failures: [String: CloudError] = [:]
        for json in try pages(call, "list operations in \(zone)").flatMap({ $0["items"].elements }) {
            guard json["operationType"] == "insert", let name = CloudInstance.lastPart(json["targetLink"]) else {
                continue
            }
            failures[name] = CloudError(operation: json, "make instance \(name) in \(zone)")
        }
        return failures
    }
}
