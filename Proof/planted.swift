// Two threads that write to one place, and memory that nobody frees: what the sanitizers must find.
import Glibc

nonisolated(unsafe) var place = UnsafeMutablePointer<Int>.allocate(capacity: 1)

let count: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in
    for _ in 0..<200_000 { place.pointee &+= 1 }
    return nil
}

var threads = [pthread_t(), pthread_t()]
for index in threads.indices { pthread_create(&threads[index], nil, count, nil) }
for thread in threads { pthread_join(thread, nil) }
for size in 1...100 { place = UnsafeMutablePointer<Int>.allocate(capacity: size) }
