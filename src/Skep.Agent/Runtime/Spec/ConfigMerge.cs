using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Spec;

/// <summary>Recipe over image, by Docker's rules.</summary>
public static class ConfigMerge
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static EffectiveConfig Merge(ContainerRecipe recipe, ImageConfig image)
    {
        // An entry point of the user's silences the image's command as well.
        var entrypoint = recipe.Entrypoint ?? image.Entrypoint;
        var command = recipe.Command is { Count: > 0 } || recipe.Entrypoint is { Count: > 0 } ? recipe.Command : image.Command;
        return new EffectiveConfig
        {
            Env = MergeEnv([DefaultPath], MergeEnv(image.Env, recipe.Env)),
            Entrypoint = entrypoint,
            Command = command,
            User = recipe.User is { Length: > 0 } user ? user : image.User,
            WorkingDir = recipe.WorkingDir is { Length: > 0 } dir ? dir : image.WorkingDir,
            Hostname = recipe.Hostname is { Length: > 0 } name ? name : ContainerId.Short(recipe.Id),
            StopSignal = recipe.StopSignal is { Length: > 0 } signal ? signal : image.StopSignal,
            Labels = MergeLabels(image.Labels, recipe.Labels),
            ExposedPorts = image.ExposedPorts,
            Healthcheck = MergeHealth(recipe.Healthcheck, image),
        };
    }

    /// <summary>The words that are run; InvalidArgument when there are none.</summary>
    public static IReadOnlyList<string> CommandLine(EffectiveConfig config)
    {
        IReadOnlyList<string> words = [.. config.Entrypoint ?? [], .. config.Command ?? []];
        return words.Count > 0 && words[0].Length > 0 ? words : throw ClusterException.Invalid("no command specified");
    }

    /// <summary>What the process sees: HOSTNAME, and TERM on a terminal, unless somebody set them.</summary>
    public static IReadOnlyList<string> ProcessEnv(EffectiveConfig config, bool tty) =>
        MergeEnv(tty ? [$"HOSTNAME={config.Hostname}", "TERM=xterm"] : [$"HOSTNAME={config.Hostname}"], config.Env);

    /// <summary>Later entries replace earlier ones of the same name; a bare name removes it.</summary>
    public static IReadOnlyList<string> MergeEnv(IReadOnlyList<string> under, IReadOnlyList<string> over)
    {
        var result = new List<string>(under);
        foreach (var entry in over)
        {
            var split = entry.IndexOf('=', StringComparison.Ordinal);
            var key = split < 0 ? entry : entry[..split];
            var index = result.FindIndex(e => e.Length > key.Length && e[key.Length] == '=' && e.StartsWith(key, StringComparison.Ordinal));
            if (split < 0)
            {
                if (index >= 0)
                {
                    result.RemoveAt(index);
                }
            }
            else if (index >= 0)
            {
                result[index] = entry;
            }
            else
            {
                result.Add(entry);
            }
        }

        return result;
    }

    private static Dictionary<string, string> MergeLabels(IReadOnlyDictionary<string, string> image, IReadOnlyDictionary<string, string> recipe)
    {
        var labels = new Dictionary<string, string>(image, StringComparer.Ordinal);
        foreach (var (key, value) in recipe)
        {
            labels[key] = value;
        }

        return labels;
    }

    private static HealthConfig? MergeHealth(HealthConfig? wish, ImageConfig image)
    {
        var declared = image.Healthcheck;
        var test = wish?.Test is { Count: > 0 } ? wish.Test : declared?.Test;
        if (test is null or { Count: 0 })
        {
            return null;
        }

        // The image's shell runs its own probe lines; the recipe's come with the default shell as well when the image names none.
        if (test[0] == "CMD-SHELL" && image.Shell is { Count: > 0 } shell)
        {
            test = ["CMD", .. shell, .. test.Skip(1)];
        }

        return new HealthConfig
        {
            Test = test,
            Interval = Pick(wish?.Interval, declared?.Interval),
            Timeout = Pick(wish?.Timeout, declared?.Timeout),
            StartPeriod = Pick(wish?.StartPeriod, declared?.StartPeriod),
            StartInterval = Pick(wish?.StartInterval, declared?.StartInterval),
            Retries = wish?.Retries is > 0 ? wish.Retries : declared?.Retries,
        };
    }

    private static long? Pick(long? wish, long? image) => wish is > 0 ? wish : image;
}
