import Testing

/// Bytes, and what Python 3.11 makes of them. Its scalars were all assigned by Unicode 14, or never will be: of others
/// versions of Unicode say different things.
struct PythonRepr: CustomTestStringConvertible {
    /// In hexadecimal.
    let bytes: String
    /// `repr(bytes.decode('utf-8', 'replace'))`
    let text: String
    /// `repr(bytes)`
    let literal: String

    var testDescription: String { bytes }

    init(_ bytes: String, _ text: String, _ literal: String) {
        self.bytes = bytes
        self.text = text
        self.literal = literal
    }

    static let table: [PythonRepr] = [
        PythonRepr("", #"''"#, #"b''"#),
        PythonRepr("6f6e650a", #"'one\n'"#, #"b'one\n'"#),
        PythonRepr("69742773", #""it's""#, #"b"it's""#),
        PythonRepr("22", #"'"'"#, #"b'"'"#),
        PythonRepr("27", #""'""#, #"b"'""#),
        PythonRepr("697427732061202271756f7465220a", #"'it\'s a "quote"\n'"#, #"b'it\'s a "quote"\n'"#),
        PythonRepr("626f7468202720616e642022207468657265", #"'both \' and " there'"#, #"b'both \' and " there'"#),
        PythonRepr(
            "610a6209635c6401ffc3a90a",
            #"'a\nb\tc\\d\x01\#u{FFFD}\#u{E9}\n'"#,
            #"b'a\nb\tc\\d\x01\xff\xc3\xa9\n'"#),
        PythonRepr(
            "0d0b0c1b5b306d001f207e7f",
            #"'\r\x0b\x0c\x1b[0m\x00\x1f ~\x7f'"#,
            #"b'\r\x0b\x0c\x1b[0m\x00\x1f ~\x7f'"#),
        PythonRepr(
            "c3a920c39f20c3bc20e6bca2e5ad9720f09f9880",
            #"'\#u{E9} \#u{DF} \#u{FC} \#u{6F22}\#u{5B57} \#u{1F600}'"#,
            #"b'\xc3\xa9 \xc3\x9f \xc3\xbc \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80'"#),
        PythonRepr(
            "7fc280c285c29fc2a0c2a1c2acc2adc2ae",
            #"'\x7f\x80\x85\x9f\xa0\#u{A1}\#u{AC}\xad\#u{AE}'"#,
            #"b'\x7f\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0\xc2\xa1\xc2\xac\xc2\xad\xc2\xae'"#),
        PythonRepr(
            "efbfbfd89ce19a80e28080e2808a",
            #"'\uffff\u061c\u1680\u2000\u200a'"#,
            #"b'\xef\xbf\xbf\xd8\x9c\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8a'"#),
        PythonRepr(
            "e2808be280a8e280a9e280aee280afe2819fe281a0",
            #"'\u200b\u2028\u2029\u202e\u202f\u205f\u2060'"#,
            #"b'\xe2\x80\x8b\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x80\xaf\xe2\x81\x9f\xe2\x81\xa0'"#),
        PythonRepr(
            "e38080ed9fbfee8080efa3bfefbbbfefbfbdefbfbf",
            #"'\u3000\ud7ff\ue000\uf8ff\ufeff\#u{FFFD}\uffff'"#,
            #"b'\xe3\x80\x80\xed\x9f\xbf\xee\x80\x80\xef\xa3\xbf\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbf'"#),
        PythonRepr(
            "f09d85b3f3a08081f3a08480f3b08080f48fbfbf",
            #"'\U0001d173\U000e0001\#u{E0100}\U000f0000\U0010ffff'"#,
            #"b'\xf0\x9d\x85\xb3\xf3\xa0\x80\x81\xf3\xa0\x84\x80\xf3\xb0\x80\x80\xf4\x8f\xbf\xbf'"#),
        PythonRepr(
            "65cc8120cc807820e0a4bf",
            #"'e\#u{301} \#u{300}x \#u{93F}'"#,
            #"b'e\xcc\x81 \xcc\x80x \xe0\xa4\xbf'"#),
        PythonRepr("c3a927", #""\#u{E9}'""#, #"b"\xc3\xa9'""#),
        PythonRepr("c3a92722", #"'\#u{E9}\'"'"#, #"b'\xc3\xa9\'"'"#),
        PythonRepr(
            "c0afe080bff0818241",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}A'"#,
            #"b'\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A'"#),
        PythonRepr(
            "eda080edbfbfedaf41",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}A'"#,
            #"b'\xed\xa0\x80\xed\xbf\xbf\xed\xafA'"#),
        PythonRepr(
            "f4919293ff4180bf42",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}A\#u{FFFD}\#u{FFFD}B'"#,
            #"b'\xf4\x91\x92\x93\xffA\x80\xbfB'"#),
        PythonRepr(
            "e180e2f09192f1bf41",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}A'"#,
            #"b'\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA'"#),
        PythonRepr("c3", #"'\#u{FFFD}'"#, #"b'\xc3'"#),
        PythonRepr("e282", #"'\#u{FFFD}'"#, #"b'\xe2\x82'"#),
        PythonRepr("f09f98", #"'\#u{FFFD}'"#, #"b'\xf0\x9f\x98'"#),
        PythonRepr("f09f982e", #"'\#u{FFFD}.'"#, #"b'\xf0\x9f\x98.'"#),
        PythonRepr("e282e282ac", #"'\#u{FFFD}\#u{20AC}'"#, #"b'\xe2\x82\xe2\x82\xac'"#),
        PythonRepr("f888808080", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#, #"b'\xf8\x88\x80\x80\x80'"#),
        PythonRepr("c1bfc2", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#, #"b'\xc1\xbf\xc2'"#),
        PythonRepr(
            "f48fbfbff4908080",
            #"'\U0010ffff\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\xf4\x8f\xbf\xbf\xf4\x90\x80\x80'"#),
        PythonRepr("80", #"'\#u{FFFD}'"#, #"b'\x80'"#),
        PythonRepr("62277827", #""b'x'""#, #"b"b'x'""#),
        PythonRepr("5c6e", #"'\\n'"#, #"b'\\n'"#),
        PythonRepr("5c27", #""\\'""#, #"b"\\'""#),
        PythonRepr(
            "5ce1e009f080f0",
            #"'\\\#u{FFFD}\#u{FFFD}\t\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\\\xe1\xe0\t\xf0\x80\xf0'"#),
        PythonRepr(
            "dfed76c30922e0f48ff1c6",
            #"'\#u{FFFD}\#u{FFFD}v\#u{FFFD}\t"\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\xdf\xedv\xc3\t"\xe0\xf4\x8f\xf1\xc6'"#),
        PythonRepr("0e539f357fe027", #""\x0eS\#u{FFFD}5\x7f\#u{FFFD}'""#, #"b"\x0eS\x9f5\x7f\xe0'""#),
        PythonRepr("ed2d225cbf", #"'\#u{FFFD}-"\\\#u{FFFD}'"#, #"b'\xed-"\\\xbf'"#),
        PythonRepr(
            "16f4f0df8e0a22df7f95",
            #"'\x16\#u{FFFD}\#u{FFFD}\#u{7CE}\n"\#u{FFFD}\x7f\#u{FFFD}'"#,
            #"b'\x16\xf4\xf0\xdf\x8e\n"\xdf\x7f\x95'"#),
        PythonRepr(
            "f09f5cc1c3e127f5bff0908fdf",
            #""\#u{FFFD}\\\#u{FFFD}\#u{FFFD}\#u{FFFD}'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}""#,
            #"b"\xf0\x9f\\\xc1\xc3\xe1'\xf5\xbf\xf0\x90\x8f\xdf""#),
        PythonRepr(
            "bfa1e15ceda0a08f09",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\\\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\t'"#,
            #"b'\xbf\xa1\xe1\\\xed\xa0\xa0\x8f\t'"#),
        PythonRepr(
            "eea0c0e1a0f4e1f5f443808f41",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}C\#u{FFFD}\#u{FFFD}A'"#,
            #"b'\xee\xa0\xc0\xe1\xa0\xf4\xe1\xf5\xf4C\x80\x8fA'"#),
        PythonRepr(
            "279f7241f1e080117fff",
            #""'\#u{FFFD}rA\#u{FFFD}\#u{FFFD}\#u{FFFD}\x11\x7f\#u{FFFD}""#,
            #"b"'\x9frA\xf1\xe0\x80\x11\x7f\xff""#),
        PythonRepr(
            "8ffff5e0908fedbf0a4fc2def0",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\nO\#u{FFFD}"#
                + #"\#u{FFFD}\#u{FFFD}'"#,
            #"b'\x8f\xff\xf5\xe0\x90\x8f\xed\xbf\nO\xc2\xde\xf0'"#),
        PythonRepr(
            "c093809280f57f",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\x7f'"#,
            #"b'\xc0\x93\x80\x92\x80\xf5\x7f'"#),
        PythonRepr(
            "09279009bfe15cdff580",
            #""\t'\#u{FFFD}\t\#u{FFFD}\#u{FFFD}\\\#u{FFFD}\#u{FFFD}\#u{FFFD}""#,
            #"b"\t'\x90\t\xbf\xe1\\\xdf\xf5\x80""#),
        PythonRepr(
            "ff804103e0197f",
            #"'\#u{FFFD}\#u{FFFD}A\x03\#u{FFFD}\x19\x7f'"#,
            #"b'\xff\x80A\x03\xe0\x19\x7f'"#),
        PythonRepr("c3c2ff0a17220a2c", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\n\x17"\n,'"#, #"b'\xc3\xc2\xff\n\x17"\n,'"#),
        PythonRepr(
            "9f22ed907fdbdff1220ae1df",
            #"'\#u{FFFD}"\#u{FFFD}\x7f\#u{FFFD}\#u{FFFD}\#u{FFFD}"\n\#u{FFFD}\#u{FFFD}'"#,
            #"b'\x9f"\xed\x90\x7f\xdb\xdf\xf1"\n\xe1\xdf'"#),
        PythonRepr(
            "0abfedf0f009dfe0bf5c",
            #"'\n\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\t\#u{FFFD}\#u{FFFD}\\'"#,
            #"b'\n\xbf\xed\xf0\xf0\t\xdf\xe0\xbf\\'"#),
        PythonRepr("bf86f0ff", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#, #"b'\xbf\x86\xf0\xff'"#),
        PythonRepr(
            "37e0f5098016e0ad092727ff",
            #""7\#u{FFFD}\#u{FFFD}\t\#u{FFFD}\x16\#u{FFFD}\t''\#u{FFFD}""#,
            #"b"7\xe0\xf5\t\x80\x16\xe0\xad\t''\xff""#),
        PythonRepr(
            "f5f4c327271fe022",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\'\'\x1f\#u{FFFD}"'"#,
            #"b'\xf5\xf4\xc3\'\'\x1f\xe0"'"#),
        PythonRepr(
            "7ff0c9e1a02280",
            #"'\x7f\#u{FFFD}\#u{FFFD}\#u{FFFD}"\#u{FFFD}'"#,
            #"b'\x7f\xf0\xc9\xe1\xa0"\x80'"#),
        PythonRepr(
            "52e0f7ad4cc2f0c041f4",
            #"'R\#u{FFFD}\#u{FFFD}\#u{FFFD}L\#u{FFFD}\#u{FFFD}\#u{FFFD}A\#u{FFFD}'"#,
            #"b'R\xe0\xf7\xadL\xc2\xf0\xc0A\xf4'"#),
        PythonRepr(
            "c38097bfe08f9d",
            #"'\#u{C0}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\xc3\x80\x97\xbf\xe0\x8f\x9d'"#),
        PythonRepr("f54180f4", #"'\#u{FFFD}A\#u{FFFD}\#u{FFFD}'"#, #"b'\xf5A\x80\xf4'"#),
        PythonRepr("f0e1e00ef1ad", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\x0e\#u{FFFD}'"#, #"b'\xf0\xe1\xe0\x0e\xf1\xad'"#),
        PythonRepr("8023827f", #"'\#u{FFFD}#\#u{FFFD}\x7f'"#, #"b'\x80#\x82\x7f'"#),
        PythonRepr(
            "e10a820abff52290",
            #"'\#u{FFFD}\n\#u{FFFD}\n\#u{FFFD}\#u{FFFD}"\#u{FFFD}'"#,
            #"b'\xe1\n\x82\n\xbf\xf5"\x90'"#),
        PythonRepr("e09f9fad", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#, #"b'\xe0\x9f\x9f\xad'"#),
        PythonRepr(
            "edc2df8fbfc331f0f4c0ee",
            #"'\#u{FFFD}\#u{FFFD}\#u{7CF}\#u{FFFD}\#u{FFFD}1\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\xed\xc2\xdf\x8f\xbf\xc31\xf0\xf4\xc0\xee'"#),
        PythonRepr(
            "9fdfeea090e0eded",
            #"'\#u{FFFD}\#u{FFFD}\ue810\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\x9f\xdf\xee\xa0\x90\xe0\xed\xed'"#),
        PythonRepr("ed2748d7edc2", #""\#u{FFFD}'H\#u{FFFD}\#u{FFFD}\#u{FFFD}""#, #"b"\xed'H\xd7\xed\xc2""#),
        PythonRepr("2341c88f0a158ff4", #"'#A\#u{20F}\n\x15\#u{FFFD}\#u{FFFD}'"#, #"b'#A\xc8\x8f\n\x15\x8f\xf4'"#),
        PythonRepr(
            "9fe5f4c239e027f1f0bfad41",
            #""\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}9\#u{FFFD}'\#u{FFFD}\#u{FFFD}A""#,
            #"b"\x9f\xe5\xf4\xc29\xe0'\xf1\xf0\xbf\xadA""#),
        PythonRepr(
            "ad577fbd0fe3c4e0c299f77f09",
            #"'\#u{FFFD}W\x7f\#u{FFFD}\x0f\#u{FFFD}\#u{FFFD}\#u{FFFD}\x99\#u{FFFD}\x7f\t'"#,
            #"b'\xadW\x7f\xbd\x0f\xe3\xc4\xe0\xc2\x99\xf7\x7f\t'"#),
        PythonRepr("77c37fc3ff", #"'w\#u{FFFD}\x7f\#u{FFFD}\#u{FFFD}'"#, #"b'w\xc3\x7f\xc3\xff'"#),
        PythonRepr(
            "e3904ef50ae12209a5a05cff",
            #"'\#u{FFFD}N\#u{FFFD}\n\#u{FFFD}"\t\#u{FFFD}\#u{FFFD}\\\#u{FFFD}'"#,
            #"b'\xe3\x90N\xf5\n\xe1"\t\xa5\xa0\\\xff'"#),
        PythonRepr(
            "11f16966f49f0a7fadf0bfc2c0",
            #"'\x11\#u{FFFD}if\#u{FFFD}\#u{FFFD}\n\x7f\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\x11\xf1if\xf4\x9f\n\x7f\xad\xf0\xbf\xc2\xc0'"#),
        PythonRepr(
            "cdc083a0a0806ba0c04141",
            #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}k\#u{FFFD}\#u{FFFD}AA'"#,
            #"b'\xcd\xc0\x83\xa0\xa0\x80k\xa0\xc0AA'"#),
        PythonRepr(
            "415c4141099ff080ad80ad4127",
            #""A\\AA\t\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}A'""#,
            #"b"A\\AA\t\x9f\xf0\x80\xad\x80\xadA'""#),
        PythonRepr(
            "1a94f599dfffa00a22",
            #"'\x1a\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\n"'"#,
            #"b'\x1a\x94\xf5\x99\xdf\xff\xa0\n"'"#),
        PythonRepr(
            "2722c30ac366f4c211f4ad90bf",
            #"'\'"\#u{FFFD}\n\#u{FFFD}f\#u{FFFD}\#u{FFFD}\x11\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#,
            #"b'\'"\xc3\n\xc3f\xf4\xc2\x11\xf4\xad\x90\xbf'"#),
        PythonRepr("dfeecef1c5", #"'\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}'"#, #"b'\xdf\xee\xce\xf1\xc5'"#),
        PythonRepr(
            "41bfc0f6fff1c615f0eff027",
            #""A\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\#u{FFFD}\x15\#u{FFFD}\#u{FFFD}\#u{FFFD}'""#,
            #"b"A\xbf\xc0\xf6\xff\xf1\xc6\x15\xf0\xef\xf0'""#),
        PythonRepr(
            "ff1c18f1a07f279022",
            #"'\#u{FFFD}\x1c\x18\#u{FFFD}\x7f\'\#u{FFFD}"'"#,
            #"b'\xff\x1c\x18\xf1\xa0\x7f\'\x90"'"#),
        PythonRepr("0a49099070d6e1", #"'\nI\t\#u{FFFD}p\#u{FFFD}\#u{FFFD}'"#, #"b'\nI\t\x90p\xd6\xe1'"#),
        PythonRepr(
            "60e1ff0c338fc0ff37",
            #"'`\#u{FFFD}\#u{FFFD}\x0c3\#u{FFFD}\#u{FFFD}\#u{FFFD}7'"#,
            #"b'`\xe1\xff\x0c3\x8f\xc0\xff7'"#),
        PythonRepr(
            "b1ee27e1addf90227f22ba",
            #"'\#u{FFFD}\#u{FFFD}\'\#u{FFFD}\#u{7D0}"\x7f"\#u{FFFD}'"#,
            #"b'\xb1\xee\'\xe1\xad\xdf\x90"\x7f"\xba'"#),
        PythonRepr(
            "227fffabc07ff16fedd6",
            #"'"\x7f\#u{FFFD}\#u{FFFD}\#u{FFFD}\x7f\#u{FFFD}o\#u{FFFD}\#u{FFFD}'"#,
            #"b'"\x7f\xff\xab\xc0\x7f\xf1o\xed\xd6'"#),
        PythonRepr(
            "d1f4f01109275cc3c2",
            #""\#u{FFFD}\#u{FFFD}\#u{FFFD}\x11\t'\\\#u{FFFD}\#u{FFFD}""#,
            #"b"\xd1\xf4\xf0\x11\t'\\\xc3\xc2""#),
    ]
}
