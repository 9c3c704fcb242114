using System.Collections.Immutable;
using Skep.Model.Specs;
using Skep.Model.Rules.Labels;

namespace Skep.Model.Rules;

/// <summary>How a network asks for encryption, and how often keys change.</summary>
public static class EncryptionRules
{
    /// <summary>A driver option: <c>--opt encrypted</c>.</summary>
    public const string Option = "encrypted";

    /// <summary>A label of the swarm or of an encrypted network: how old a key gets (12h, 1h30m). The shortest counts.</summary>
    public const string RotationLabel = "skep.encryption.rotation";

    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_most = TimeSpan.FromHours(720);

    public static bool IsEncrypted(NetworkSpec spec) =>
        spec.DriverConfiguration?.Options?.TryGetValue(Option, out var value) == true && value.Trim().ToLowerInvariant() is not ("false" or "0" or "f");

    public static IEnumerable<Problem> Check(NetworkSpec spec)
    {
        if (spec.DriverConfiguration?.Options?.TryGetValue(Option, out var value) == true && value.Trim().ToLowerInvariant() is not ("" or "true" or "1" or "t" or "false" or "0" or "f"))
        {
            yield return new Problem($"option {Option} is \"{value}\"; allowed: nothing, true or false");
        }

        foreach (var problem in CheckRotation(spec.Labels))
        {
            yield return problem;
        }
    }

    public static IEnumerable<Problem> Check(ClusterSpec spec) => CheckRotation(spec.Labels);

    /// <summary>Null when nobody says.</summary>
    public static TimeSpan? Period(ClusterSpec cluster, IEnumerable<NetworkSpec> networks) =>
        networks.Where(IsEncrypted).Select(n => n.Labels).Prepend(cluster.Labels)
            .Where(l => l.ContainsKey(RotationLabel))
            .Select(l => Read(l, ImmutableArray.CreateBuilder<Problem>()))
            .Min();

    private static ImmutableArray<Problem> CheckRotation(IReadOnlyDictionary<string, string> labels)
    {
        var problems = ImmutableArray.CreateBuilder<Problem>();
        Read(labels, problems);
        return problems.ToImmutable();
    }

    private static TimeSpan? Read(IReadOnlyDictionary<string, string> labels, ImmutableArray<Problem>.Builder problems)
    {
        var none = TimeSpan.MinValue;
        var period = new LabelReader(labels, problems).Duration(RotationLabel, none, s_least, s_most);
        return period == none ? null : period;
    }
}
