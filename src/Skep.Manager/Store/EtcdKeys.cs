using System.Text;
using Google.Protobuf;
using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>
/// Where things stand in etcd: <c>object/KIND/ID</c> holds a record, <c>name/KIND/NAME</c> the id that has a unique name, and
/// <c>leader</c> the node id of the leading manager for as long as its lease lives. <c>object/barrier</c> is no object: a leader writes
/// it to hear it back.
/// </summary>
internal static class EtcdKeys
{
    private const string Root = "/skep/v1/";
    private const string Objects = Root + "object/";

    public static readonly ByteString ObjectsFirst = ByteString.CopyFromUtf8(Objects);

    /// <summary>The end of the range of all objects: the same text with its last character raised by one.</summary>
    public static readonly ByteString ObjectsEnd = ByteString.CopyFromUtf8(Objects[..^1] + (char)('/' + 1));

    /// <summary>
    /// In the watched range, but no object: the watch brings its revision behind everything that was written before it.
    /// </summary>
    public static readonly ByteString Barrier = ByteString.CopyFromUtf8(Objects + "barrier");

    public static readonly ByteString Leader = ByteString.CopyFromUtf8(Root + "leader");

    private static readonly Dictionary<string, ObjectKind> s_kinds = Enum.GetValues<ObjectKind>().ToDictionary(k => k.Word());

    public static ByteString Object(ObjectKind kind, string id) => ByteString.CopyFromUtf8($"{Objects}{kind.Word()}/{id}");

    /// <summary>Null for an object whose name need not be unique.</summary>
    public static ByteString? Name(SwarmObject value) => value.UniqueName is { } name
        ? ByteString.CopyFromUtf8($"{Root}name/{value.Kind.Word()}/{name.ToLowerInvariant()}")
        : null;

    /// <summary>False for a key of a kind that this version does not know.</summary>
    public static bool TryParseObject(ByteString key, out ObjectKind kind, out string id)
    {
        (kind, id) = (default, "");
        var text = Encoding.UTF8.GetString(key.Span);
        if (!text.StartsWith(Objects, StringComparison.Ordinal))
        {
            return false;
        }

        var slash = text.IndexOf('/', Objects.Length);
        id = text[(slash + 1)..];
        return slash > 0 && s_kinds.TryGetValue(text[Objects.Length..slash], out kind);
    }
}
