/// The version of all of disbatch's programs.
package let disbatchVersion = "0.1.0"
