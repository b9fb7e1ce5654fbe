/// Reads values out of a JSON text, by SQLite's own JSON functions.
package struct JSONReader {
    private let database: Database
    private let text: [UInt8]

    /// Nil where the text is not JSON.
    package init?(_ text: [UInt8]) {
        guard let database = try? Database(path: ":memory:"),
            let check = try? Statement(database, "SELECT json_valid(?1)")
        else { return nil }
        check.bind(1, text)
        guard (try? check.next()) == true, check.integer(0) == 1 else { return nil }
        self.database = database
        self.text = text
    }

    /// The text at a path such as `$.name`; nil where there is none.
    package func text(_ path: String) -> String? {
        guard let statement = try? Statement(database, "SELECT json_extract(?1, ?2)") else { return nil }
        statement.bind(1, text)
        statement.bind(2, path)
        guard (try? statement.next()) == true else { return nil }
        return statement.text(0)
    }

    /// The number at a path.
    package func integer(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

    /// The texts in the array at a path.
    package func texts(_ path: String) -> [String] {
        guard let statement = try? Statement(database, "SELECT value FROM json_each(?1, ?2)") else { return [] }
        statement.bind(1, text)
        statement.bind(2, path)
        var found: [String] = []
        while (try? statement.next()) == true { if let value = statement.text(0) { found.append(value) } }
        return found
    }
}
