using System.Text;

namespace Skep.Model.Plans;

/// <summary>
/// The keys of the encrypted networks: every one of them is good for reception, one is sent with. They live in memory only: the
/// plan on disk is without them.
/// </summary>
/// <param name="Keys">In order of their age, the oldest first.</param>
/// <param name="Sending">The id of the key to send with.</param>
public sealed record PlanKeyring(IReadOnlyList<PlanKey> Keys, string Sending);

/// <summary>A secret of 32 bytes, from which each pair of nodes derives its own keys.</summary>
public sealed record PlanKey(string Id, byte[] Secret, DateTimeOffset MadeAt)
{
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(nameof(Id)).Append(" = ").Append(Id);
        return true;
    }
}
