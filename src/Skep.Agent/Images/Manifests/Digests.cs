using System.Security.Cryptography;
using System.Text;

namespace Skep.Agent.Images.Manifests;

internal static class Digests
{
    private const int ShortLength = 12;

    public static string Of(ReadOnlySpan<byte> bytes) => Name(SHA256.HashData(bytes));

    public static string Name(ReadOnlySpan<byte> hash) => "sha256:" + Convert.ToHexStringLower(hash);

    /// <summary>The first twelve digits, as people see them.</summary>
    public static string Short(string digest)
    {
        var hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return hex.Length > ShortLength ? hex[..ShortLength] : hex;
    }

    /// <summary>
    /// The names of the stacks that layers make, lowest first: a stack's name is the digest of "lower upper"
    /// (OCI image-spec 1.0, layer ChainID).
    /// </summary>
    public static IReadOnlyList<string> Chain(IReadOnlyList<string> diffIds)
    {
        var chain = new List<string>(diffIds.Count);
        foreach (var diffId in diffIds)
        {
            chain.Add(chain.Count == 0 ? diffId : Of(Encoding.ASCII.GetBytes($"{chain[^1]} {diffId}")));
        }
        return chain;
    }
}
