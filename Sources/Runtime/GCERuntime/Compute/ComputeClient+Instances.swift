import DisbatchCore
import GoogleAPI
import LinuxSystem

extension ComputeClient {
    // MARK: Making and deleting

    /// Asks for an instance; ``wait(for:until:)`` tells whether it came to be.
    ///
    /// - Parameter body: of ``InstanceRequest``.
    func insert(
        _ body: JSONValue, zone: String, requestID: RequestID = RequestID()
    ) throws(CloudError) -> CloudOperation {
        let action = "make instance \(body["name"].string ?? "") in \(zone)"
        var call = Call(method: "POST", path: "zones/\(zone)/instances")
        call.query = [("requestId", requestID.text)]
        call.body = body.text()
        return try CloudOperation(perform(call, action), zone: zone, action)
    }

    /// Asks for an instance's deletion; nil where there is none of that name.
    func delete(
        instance: String, zone: String, requestID: RequestID = RequestID()
    ) throws(CloudError) -> CloudOperation? {
        let action = "delete instance \(instance) in \(zone)"
        var call = Call(method: "DELETE", path: "zones/\(zone)/instances/\(instance)")
        call.query = [("requestId", requestID.text)]
        do throws(CloudError) {
            return try CloudOperation(perform(call, action), zone: zone, action)
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    // MARK: Operations

    /// How an operation is doing.
    func operation(_ name: String, zone: String) throws(CloudError) -> CloudOperation {
        let action = "look at operation \(name) in \(zone)"
        return try CloudOperation(perform(Call(path: "zones/\(zone)/operations/\(name)"), action), zone: zone, action)
    }

    /// Waits until an operation has ended.
    ///
    /// - Throws: its error where it failed, and one of kind `transport` where it has not ended at the deadline.
    func wait(for operation: CloudOperation, until deadline: MonotonicTime) throws(CloudError) {
        var operation = operation
        var pause = Duration.milliseconds(500)
        let action = "wait for operation \(operation.name) in \(operation.zone)"
        while !operation.isDone {
            let begin = MonotonicTime.now
            guard begin < deadline else { throw CloudError(.transport, action, "it has not ended in time") }
            // The service answers after two minutes at most, and may do so at once.
            var call = Call(method: "POST", path: "zones/\(operation.zone)/operations/\(operation.name)/wait")
            let left = Duration.nanoseconds(deadline.nanoseconds - begin.nanoseconds)
            call.timeLimit = min(.seconds(150), max(.seconds(1), left))
            do throws(CloudError) {
                operation = try CloudOperation(perform(call, action), zone: operation.zone, action)
            } catch {
                guard error.mayPass, MonotonicTime.now < deadline else { throw error }
            }
            guard !operation.isDone, MonotonicTime.now < begin + .seconds(2) else { continue }
            guard cancellation.wait(pause) else { throw CloudError(.cancelled, action, "given up") }
            pause = min(pause * 2, .seconds(10))
        }
        if let error = operation.error { throw error }
    }

    // MARK: Looking

    /// An instance; nil where there is none of that name.
    func instance(_ name: String, zone: String) throws(CloudError) -> CloudInstance? {
        let action = "look at instance \(name) in \(zone)"
        do throws(CloudError) {
            let json = try perform(Call(path: "zones/\(zone)/instances/\(name)"), action)
            guard let instance = CloudInstance(json) else {
                throw CloudError(.transport, action, "the reply is no instance")
            }
            return instance
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// The instances that have all of some labels, sorted by name.
    ///
    /// - Parameters:
    ///   - labels: key and value; nil for any value.
    ///   - zone: nil for all zones.
    func instances(labels: [String: String?], zone: String? = nil) throws(CloudError) -> [CloudInstance] {
        let action = "list instances"
        let filter = try Self.filter(labels, action)
        var call = Call(path: zone.map { "zones/\($0)/instances" } ?? "aggregated/instances")
        call.query = [("filter", filter)]
        var found: [CloudInstance] = []
        for page in try pages(call, action) {
            // Zones that can't be reached are an error: what is in them would count as gone.
            if let warning = page["items"].members.first(where: { $0.value.hasTrouble }) ?? page.trouble {
                throw CloudError(
                    .server, action, "\(warning.key): \(warning.value["warning"]["message"].string ?? "unreachable")",
                    mayPass: true)
            }
            let lists = zone == nil ? page["items"].members.map { $0.value["instances"] } : [page["items"]]
            found += lists.flatMap(\.elements).compactMap { CloudInstance($0) }
        }
        return found.sorted { $0.name < $1.name }
    }

    /// The names of the instances of a zone that were taken back, as far as the service still tells (days).
    func preemptedInstances(zone: String) throws(CloudError) -> Set<String> {
        var call = Call(path: "zones/\(zone)/operations")
        call.query = [("filter", "operationType=\"compute.instances.preempted\"")]
        let operations = try pages(call, "list preemptions in \(zone)").flatMap { $0["items"].elements }
        return Set(operations.compactMap { CloudInstance.lastPart($0["targetLink"]) })
    }

    private static func filter(_ labels: [String: String?], _ action: String) throws(CloudError) -> String {
        for (key, value) in labels where !CloudNames.isLabelKey(key) || !CloudNames.isLabelValue(value ?? "") {
            throw CloudError(.invalid, action, "\(key)=\(value ?? ""): no label")
        }
        return labels.sorted { $0.key < $1.key }.map { key, value in
            value.map { "labels.\(key)=\($0)" } ?? "labels.\(key):*"
        }.joined(separator: " AND ")
    }

    /// An instance's guest attributes: pairs of key and value in a namespace, or all of them.
    ///
    /// - Returns: none where it has said nothing yet.
    func guestAttributes(
        _ instance: String, zone: String, namespace: String
    ) throws(CloudError) -> [String: String] {
        var call = Call(path: "zones/\(zone)/instances/\(instance)/getGuestAttributes")
        call.query = [("queryPath", namespace + "/")]
        do throws(CloudError) {
            let json = try perform(call, "read guest attributes of \(instance)")
            var result: [String: String] = [:]
            for item in json["queryValue"]["items"].elements {
                if let key = item["key"].string, let value = item["value"].string { result[key] = value }
            }
            return result
        } catch {
            if error.kind == .notFound { return [:] }
            throw error
        }
    }

    /// The public host keys of an instance, as a list of known hosts has them behind the name: `ssh-ed25519 AAAA...`.
    ///
    /// - Returns: none where it has not said them yet.
    func hostKeys(_ instance: String, zone: String) throws(CloudError) -> [String] {
        try guestAttributes(instance, zone: zone, namespace: "hostkeys").sorted { $0.key < $1.key }
            .map { type, key in "\(type) \(key)" }
            .filter { line in line.utf8.allSatisfy { 0x20...0x7E ~= $0 } && line.split(separator: " ").count == 2 }
    }

    /// The output of an instance's serial port, from a byte on.
    ///
    /// - Returns: the text, and where to go on.
    func serialOutput(
        _ instance: String, zone: String, from start: Int64 = 0
    ) throws(CloudError) -> (text: String, next: Int64) {
        var call = Call(path: "zones/\(zone)/instances/\(instance)/serialPort")
        call.query = [("port", "1"), ("start", String(start))]
        let json = try perform(call, "read the serial port of \(instance)")
        return (json["contents"].string ?? "", json["next"].integer ?? start)
    }
}

extension JSONValue {
    /// Whether this is a zone of a list that could not be read.
    fileprivate var hasTrouble: Bool { self["warning"]["code"].string == "UNREACHABLE" }

    /// The same of a whole list.
    fileprivate var trouble: Member? { hasTrouble ? Member("the list", self) : nil }
}
