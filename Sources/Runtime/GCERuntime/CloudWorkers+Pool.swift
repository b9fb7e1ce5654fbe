import DisbatchCore
import GoogleAPI

/// Requests about the machines of a pool.
extension CloudWorkers {
    func discover() {
        guard let member = service.member else { return tell(.discovered([])) }
        do throws(CloudError) {
            tell(.discovered(try service.client(everything).instances(leftTo: member)))
        } catch {
            tell(.discoveryFailed(error.description))
        }
    }

    func claim(_ name: String, _ zone: String) {
        guard let member = service.member else { return tell(.claimFailed(name, nil)) }
        do throws(CloudError) {
            let client = try service.client(everything)
            do throws(CloudError) {
                let own = try client.claim(name, zone: zone, for: member)
                tell(own.map { .claimed($0) } ?? .claimFailed(name, nil))
            } catch {
                // Where that fails too, the instance is nobody's, and deletes itself.
                try? client.release(name, zone: zone, by: member)
                throw error
            }
        } catch {
            tell(.claimFailed(name, error.description))
        }
    }

    func release(_ name: String, _ zone: String) {
        guard let member = service.member else { return tell(.released(name)) }
        do throws(CloudError) {
            try service.client(everything).release(name, zone: zone, by: member)
            tell(.released(name))
        } catch {
            tell(.releaseFailed(name, error.description))
        }
    }
}
