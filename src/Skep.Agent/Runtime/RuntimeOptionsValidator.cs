using System.Text;
using Microsoft.Extensions.Options;

namespace Skep.Agent.Runtime;

public sealed class RuntimeOptionsValidator : IValidateOptions<RuntimeOptions>
{
    private const int LongestSocket = 107;

    public ValidateOptionsResult Validate(string? name, RuntimeOptions options)
    {
        var errors = new List<string>();
        Absolute(errors, nameof(options.DataRoot), options.DataRoot);
        Absolute(errors, nameof(options.RunRoot), options.RunRoot);
        Absolute(errors, nameof(options.ContainerdSocket), options.ContainerdSocket);
        Absolute(errors, nameof(options.CgroupParent), options.CgroupParent);
        Absolute(errors, nameof(options.InitPath), options.InitPath);
        if (Encoding.UTF8.GetByteCount(options.ContainerdSocket) > LongestSocket)
        {
            errors.Add($"{RuntimeOptions.Section}:{nameof(options.ContainerdSocket)} is {options.ContainerdSocket}; a socket's path has at most {LongestSocket} bytes.");
        }

        if (options.Namespace.Length == 0 || !options.Namespace.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            errors.Add($"{RuntimeOptions.Section}:{nameof(options.Namespace)} is '{options.Namespace}'; letters, digits, '-', '_' and '.' are allowed.");
        }

        if (options.RetryFor < TimeSpan.Zero)
        {
            errors.Add($"{RuntimeOptions.Section}:{nameof(options.RetryFor)} is {options.RetryFor}; it cannot be negative.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Absolute(List<string> errors, string key, string path)
    {
        if (!path.StartsWith('/'))
        {
            errors.Add($"{RuntimeOptions.Section}:{key} is '{path}'; it must be an absolute path.");
        }
    }
}
