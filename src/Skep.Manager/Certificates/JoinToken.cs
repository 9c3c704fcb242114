using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Skep.Model.Identity;

namespace Skep.Manager.Certificates;

/// <summary>
/// SWMTKN-1-&lt;digest of the root certificate&gt;-&lt;secret&gt;: what a new node needs to know whom to trust and to be trusted. The digest is
/// the SHA-256 of the PEM text in 50 digits of base 36, the secret 16 random bytes in 25.
/// </summary>
public sealed record JoinToken(string RootDigest, string Secret)
{
    private const string Prefix = "SWMTKN-1-";

    public override string ToString() => $"{Prefix}{RootDigest}-{Secret}";

    public static JoinToken For(string rootCertificatePem, string secret) => new(DigestOf(rootCertificatePem), secret);

    public static string NewSecret() =>
        ObjectId.Base36(new BigInteger(RandomNumberGenerator.GetBytes(16), isUnsigned: true, isBigEndian: true), 25);

    public static string DigestOf(string rootCertificatePem) =>
        ObjectId.Base36(new BigInteger(SHA256.HashData(Encoding.ASCII.GetBytes(rootCertificatePem)), isUnsigned: true, isBigEndian: true), 50);

    public static bool TryParse(string text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        var parts = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..].Split('-') : [];
        if (parts.Length != 2 || parts[0].Length != 50 || parts[1].Length != 25)
        {
            return false;
        }

        token = new JoinToken(parts[0], parts[1]);
        return true;
    }
}
