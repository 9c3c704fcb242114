using System.Collections.Immutable;
using Skep.Model.Specs;

namespace Skep.Model.Rules.Labels;

/// <summary>What the labels of a service whose names begin with <c>skep.</c> ask for. They are read here and nowhere else.</summary>
public sealed record ServiceLabels(BalanceLabels Balance, ImmutableArray<PublishLabels> Publish)
{
    public LifeLabels Life { get; private init; } = new();

    /// <summary>As the stored specification has them. It was checked when it was stored; what cannot be read asks for nothing.</summary>
    public static ServiceLabels Of(ServiceSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Read(spec, new LabelReader(spec.Labels, ImmutableArray.CreateBuilder<Problem>()));
    }

    /// <summary>Names every label that is not known or has a value that means nothing.</summary>
    public static void Check(ServiceSpec spec, ImmutableArray<Problem>.Builder problems)
    {
        foreach (var name in spec.Labels.Keys.Where(n => LabelNames.IsOurs(n) && !LabelNames.IsKnown(n)).Order(StringComparer.Ordinal))
        {
            problems.Add(new Problem($"label {name} is not known; the nearest is {LabelNames.Nearest(name)}"));
        }

        Read(spec, new LabelReader(spec.Labels, problems));
    }

    private static ServiceLabels Read(ServiceSpec spec, LabelReader reader) =>
        new(BalanceLabels.Read(spec, reader), PublishLabels.Read(spec, reader)) { Life = LifeLabels.Read(reader) };
}
