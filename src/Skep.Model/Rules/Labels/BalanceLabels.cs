using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Model.Rules.Labels;

/// <summary>How new flows of the service are shared out. Weight is that of each of its tasks; With is the service whose flows they serve too.</summary>
public sealed record BalanceLabels(BalanceMode Mode, TimeSpan Timeout, int Weight, string? With)
{
    private static readonly TimeSpan s_usual = TimeSpan.FromHours(3);

    /// <summary>True when there is nothing that a plan would not say of a service without labels.</summary>
    public bool IsDefault => Mode == BalanceMode.RoundRobin && Weight == 1;

    internal static BalanceLabels Read(ServiceSpec spec, LabelReader reader)
    {
        var mode = reader.Choice(
            LabelNames.Balance,
            BalanceMode.RoundRobin,
            ("rr", BalanceMode.RoundRobin),
            ("random", BalanceMode.Random),
            ("source", BalanceMode.Source),
            ("local-first", BalanceMode.LocalFirst));
        var timeout = reader.Duration(LabelNames.BalanceTimeout, s_usual, TimeSpan.FromSeconds(1), TimeSpan.FromHours(720));
        if (reader.Text(LabelNames.BalanceTimeout) is not null && mode != BalanceMode.Source)
        {
            reader.Refuse(LabelNames.BalanceTimeout, $"it goes with {LabelNames.Balance}=source only");
        }

        return new BalanceLabels(mode, timeout, reader.Number(LabelNames.BalanceWeight, 1, 1, 100), ReadWith(spec, mode, reader));
    }

    // The other service decides how its flows are shared out; a canary's own mode would have nothing to say there, but for its own VIP.
    private static string? ReadWith(ServiceSpec spec, BalanceMode mode, LabelReader reader)
    {
        var with = reader.Text(LabelNames.BalanceWith);
        if (with is null)
        {
            return null;
        }

        if (with.Length == 0 || with == spec.Name)
        {
            reader.Refuse(LabelNames.BalanceWith, "allowed: the name of another service");
            return null;
        }

        if (spec.EndpointSpec?.Mode == EndpointSpec.DnsRoundRobin)
        {
            reader.Refuse(LabelNames.BalanceWith, "it needs endpoint mode vip; this service has dnsrr");
            return null;
        }

        return with;
    }
}
