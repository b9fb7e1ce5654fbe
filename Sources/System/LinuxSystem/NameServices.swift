import CLinux

/// How this process finds the addresses of names.
package enum NameServices {
    /// Keeps to the files in /etc and to DNS: what a program does first that may be linked statically. The machine's
    /// other services are modules of its own C library, which kill a program that was linked with another.
    package static func useBuiltIn() { clinux_use_builtin_name_services() }
}
